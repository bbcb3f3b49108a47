// DeepSeek-V3-0324 and R1-0528: the header of the assistant's turn ends the user's, every round of
// calls opens and closes its own section. vLLM's tool template for V3 is the same with definitions
// in the system text and the template's own indentation between the parts; that copy serves to
// compare.
#include "text/deepseek_marks.h"
#include "text/deepseek_tools.h"

namespace hadal {
namespace {

using namespace deepseek;

struct Rules {
  bool drops_reasoning = false;
  bool vllm = false;  // definitions always, dumped arguments, white space of the template
};

class Turns {
 public:
  Turns(const Conversation& conversation, const EncodeOptions& options, Rules rules,
        PromptWriter* out)
      : conversation_(conversation), options_(options), rules_(rules), out_(*out) {}

  Status Write() {
    LineEnds(2).Markup(kBegin);
    HADAL_ASSIGN_OR_RETURN(const std::string system, JoinSystemTexts(conversation_));
    LineEnds(1).Quote(system);
    if ((options_.tools_in_system || rules_.vllm) && !conversation_.tools.empty())
      WriteToolsV3(conversation_.tools, rules_.vllm ? "    " : "", &out_);
    for (const Message& message : conversation_.messages) {
      if (message.role == "user") HADAL_RETURN_IF_ERROR(WriteUser(message));
      if (message.role == "assistant") {
        after_user_ = false;
        HADAL_RETURN_IF_ERROR(message.tool_calls.empty() ? WriteAnswer(message)
                                                         : WriteCalls(message));
      }
      if (message.role == "tool") HADAL_RETURN_IF_ERROR(WriteResult(message));
    }
    if (after_results_) {
      Indent(4).Markup(kOutputsEnd);
      LineEnds(1);
    }
    LineEnds(1);
    if (options_.add_generation_prompt && !after_user_ && !after_results_) {
      Indent(4).Markup(kAssistant);
      LineEnds(1);
    }
    return {};
  }

 private:
  PromptWriter& Indent(std::size_t columns) {
    return out_.Markup(rules_.vllm ? std::string(columns, ' ') : std::string());
  }
  PromptWriter& LineEnds(std::size_t count) {
    return out_.Markup(rules_.vllm ? std::string(count, '\n') : std::string());
  }

  Status WriteUser(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    after_results_ = false;
    after_user_ = true;
    out_.Markup(kUser).Quote(text).Markup(kAssistant);
    return {};
  }

  Status WriteCalls(const Message& message) {
    if (after_results_) Indent(12).Markup(kOutputsEnd);
    after_results_ = false;
    results_opened_ = false;
    bool first = true;
    for (const ToolCall& call : message.tool_calls) {
      const std::string where = MessagePlace(conversation_, message);
      HADAL_ASSIGN_OR_RETURN(const std::string arguments,
                             rules_.vllm ? DumpedArguments(options_, call, where)
                                         : InsertedArguments(options_, call, where));
      if (std::exchange(first, false)) {
        const std::string text = message.content.Join("\n");
        Indent(20).Quote(WithoutReasoning(text)).Markup(kCallsBegin);
      } else {
        Indent(16).Markup("\n");
      }
      WriteCallV3(call, arguments, &out_);
    }
    Indent(8).Markup(kCallsEnd).Markup(kEnd);
    return {};
  }

  Status WriteAnswer(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    Indent(12);
    if (after_results_) out_.Markup(kOutputsEnd);
    out_.Quote(WithoutReasoning(text)).Markup(kEnd);
    after_results_ = false;
    return {};
  }

  Status WriteResult(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    Indent(12).Markup(results_opened_ ? std::string_view("\n") : kOutputsBegin);
    out_.Markup(kOutputBegin).Quote(text).Markup(kOutputEnd);
    results_opened_ = true;
    after_results_ = true;
    after_user_ = false;
    return {};
  }

  std::string_view WithoutReasoning(std::string_view text) const {
    return rules_.drops_reasoning ? AfterLast(text, kThinkEnd) : text;
  }

  const Conversation& conversation_;
  const EncodeOptions& options_;
  const Rules rules_;
  PromptWriter& out_;
  bool results_opened_ = false;  // until the next calls: an answer alone does not reset it
  bool after_results_ = false;
  bool after_user_ = false;
};

}  // namespace

Status EncodeV30324(const Conversation& conversation, const EncodeOptions& options,
                    PromptWriter* out) {
  return Turns(conversation, options, {}, out).Write();
}

Status EncodeR10528(const Conversation& conversation, const EncodeOptions& options,
                    PromptWriter* out) {
  return Turns(conversation, options, {.drops_reasoning = true}, out).Write();
}

Status EncodeV3VllmTools(const Conversation& conversation, const EncodeOptions& options,
                         PromptWriter* out) {
  return Turns(conversation, options, {.vllm = true}, out).Write();
}

}  // namespace hadal
