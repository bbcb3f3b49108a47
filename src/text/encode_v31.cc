// DeepSeek-V3.1 (and Terminus): the assistant's header is written when its turn comes, followed by
// a closed think block; calls stand as NAME<sep>ARGUMENTS, results without an outer section.
#include "text/deepseek_marks.h"
#include "text/deepseek_tools.h"

namespace hadal {
namespace {

using namespace deepseek;

struct Rules {
  std::string_view no_think = kThinkEnd;
  bool dumps_arguments = false;
  bool vllm = false;  // definitions always, white space of the template
};

class Turns {
 public:
  Turns(const Conversation& conversation, const EncodeOptions& options, Rules rules,
        PromptWriter* out)
      : conversation_(conversation),
        options_(options),
        rules_(rules),
        thinking_(ThinkingOn(options, false)),
        out_(*out) {}

  Status Write() {
    if (rules_.vllm) out_.Markup("\n\n");
    HADAL_ASSIGN_OR_RETURN(const std::string system, JoinSystemTexts(conversation_));
    out_.Markup(kBegin).Quote(system);
    if ((options_.tools_in_system || rules_.vllm) && !conversation_.tools.empty())
      HADAL_RETURN_IF_ERROR(WriteToolsV31(conversation_.tools, &out_));
    for (const Message& message : conversation_.messages) {
      if (message.role == "user") HADAL_RETURN_IF_ERROR(WriteUser(message));
      if (message.role == "assistant")
        HADAL_RETURN_IF_ERROR(message.tool_calls.empty() ? WriteAnswer(message)
                                                         : WriteCalls(message));
      if (message.role == "tool") HADAL_RETURN_IF_ERROR(WriteResult(message));
    }
    if (options_.add_generation_prompt && after_user_ && !after_results_) {
      Indent(2).Markup(kAssistant);
      Indent(4).Markup(thinking_ ? kThink : rules_.no_think);
    }
    return {};
  }

 private:
  PromptWriter& Indent(std::size_t columns) {
    return out_.Markup(rules_.vllm ? std::string(columns, ' ') : std::string());
  }

  Status WriteUser(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    after_results_ = false;
    after_user_ = true;
    out_.Markup(kUser).Quote(text);
    return {};
  }

  Status WriteCalls(const Message& message) {
    if (after_user_) Indent(6).Markup(kAssistant).Markup(rules_.no_think);
    after_user_ = false;
    after_results_ = false;
    bool first = true;
    for (const ToolCall& call : message.tool_calls) {
      const std::string where = MessagePlace(conversation_, message);
      HADAL_ASSIGN_OR_RETURN(const std::string arguments,
                             rules_.dumps_arguments ? DumpedArguments(options_, call, where)
                                                    : InsertedArguments(options_, call, where));
      if (std::exchange(first, false))
        Indent(10).Quote(message.content.Join("\n")).Markup(kCallsBegin);
      else
        Indent(8);
      WriteCallV31(call, arguments, &out_);
    }
    Indent(4).Markup(kCallsEnd).Markup(kEnd);
    return {};
  }

  Status WriteAnswer(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    if (after_user_) {
      Indent(6).Markup(kAssistant);
      Indent(8).Markup(message.prefix && thinking_ ? kThink : rules_.no_think);
    }
    after_user_ = false;
    // The reasoning ends at the first mark here; an answer to tool results is kept whole.
    const std::size_t mark = after_results_ ? std::string::npos : text.find(kThinkEnd);
    const std::size_t begin = mark == std::string::npos ? 0 : mark + kThinkEnd.size();
    Indent(6).Quote(std::string_view(text).substr(begin)).Markup(kEnd);
    after_results_ = false;
    return {};
  }

  Status WriteResult(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    out_.Markup(kOutputBegin).Quote(text).Markup(kOutputEnd);
    after_user_ = false;
    after_results_ = true;
    return {};
  }

  const Conversation& conversation_;
  const EncodeOptions& options_;
  const Rules rules_;
  const bool thinking_;
  PromptWriter& out_;
  bool after_user_ = false;
  bool after_results_ = false;
};

}  // namespace

Status EncodeV31(const Conversation& conversation, const EncodeOptions& options,
                 PromptWriter* out) {
  return Turns(conversation, options, {}, out).Write();
}

// llama.cpp's copy of the template opens the think block before closing it.
Status EncodeV31LlamaCpp(const Conversation& conversation, const EncodeOptions& options,
                         PromptWriter* out) {
  const Rules rules = {.no_think = "<think></think>", .dumps_arguments = true};
  return Turns(conversation, options, rules, out).Write();
}

Status EncodeV31VllmTools(const Conversation& conversation, const EncodeOptions& options,
                          PromptWriter* out) {
  return Turns(conversation, options, {.dumps_arguments = true, .vllm = true}, out).Write();
}

}  // namespace hadal
