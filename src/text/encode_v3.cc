// DeepSeek-V3, R1 and the R1 distills. Their templates share one shape: system text, then turns,
// the assistant's header in front of each of its turns. They differ in how calls and content go
// together and in small oddities: the first call of the whole conversation opens the call section,
// later rounds do not; V3 and the first distill template close it only after a second call.
#include "text/deepseek_marks.h"
#include "text/deepseek_tools.h"

namespace hadal {
namespace {

using namespace deepseek;

enum class Calls : unsigned char {
  kOnlyWithoutContent,  // a turn with content loses its calls
  kThenContent,         // calls first, then the content as a turn of its own
  kAfterContent,        // the content opens the first call
};

struct Rules {
  bool join_systems = false;  // else the last system text counts
  Calls calls = Calls::kOnlyWithoutContent;
  bool dumps_arguments = false;
  bool drops_reasoning = false;  // content up to </think> is not repeated
  std::string_view between_results = "\n";
  std::string_view opening = {};  // after the header of the turn to be generated
};

constexpr Rules kV3 = {.join_systems = true};
constexpr Rules kR1 = {.join_systems = true,
                       .calls = Calls::kAfterContent,
                       .drops_reasoning = true,
                       .between_results = "",
                       .opening = "<think>\n"};
constexpr Rules kDistill = {.drops_reasoning = true, .opening = "<think>\n"};
constexpr Rules kDistillQwenThinking = {.calls = Calls::kThenContent,
                                        .dumps_arguments = true,
                                        .drops_reasoning = true,
                                        .opening = "<think>\n"};
constexpr Rules kDistillQwen = {.calls = Calls::kThenContent,
                                .dumps_arguments = true,
                                .drops_reasoning = true,
                                .opening = "<think>\n</think>"};

class Turns {
 public:
  Turns(const Conversation& conversation, const EncodeOptions& options, const Rules& rules,
        PromptWriter* out)
      : conversation_(conversation), options_(options), rules_(rules), out_(*out) {}

  Status Write() {
    out_.Markup(kBegin);
    HADAL_ASSIGN_OR_RETURN(const std::string system, SystemText());
    out_.Quote(system);
    if (options_.tools_in_system && !conversation_.tools.empty())
      WriteToolsV3(conversation_.tools, "", &out_);
    for (const Message& message : conversation_.messages) {
      if (message.role == "user") HADAL_RETURN_IF_ERROR(WriteUser(message));
      if (message.role == "assistant") HADAL_RETURN_IF_ERROR(WriteAssistant(message));
      if (message.role == "tool") HADAL_RETURN_IF_ERROR(WriteResult(message));
    }
    if (after_results_)
      out_.Markup(kOutputsEnd);
    else if (options_.add_generation_prompt)
      out_.Markup(kAssistant).Markup(rules_.opening);
    return {};
  }

 private:
  Result<std::string> SystemText() {
    if (rules_.join_systems) return JoinSystemTexts(conversation_);
    std::string last;
    for (const Message& message : conversation_.messages) {
      if (message.role != "system") continue;
      HADAL_ASSIGN_OR_RETURN(last, RequireText(conversation_, message));
    }
    return last;
  }

  Status WriteUser(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    after_results_ = false;
    out_.Markup(kUser).Quote(text);
    return {};
  }

  Status WriteAssistant(const Message& message) {
    const bool has_calls = !message.tool_calls.empty();
    switch (rules_.calls) {
      case Calls::kOnlyWithoutContent:
        return message.content.given ? WriteAnswer(message) : WriteCalls(message);
      case Calls::kThenContent:
        if (has_calls) HADAL_RETURN_IF_ERROR(WriteCalls(message));
        return message.content.given ? WriteAnswer(message) : Status();
      case Calls::kAfterContent:
        return has_calls ? WriteCalls(message) : WriteAnswer(message);
    }
    return {};
  }

  Status WriteCalls(const Message& message) {
    after_results_ = false;
    const bool closes_once = rules_.calls != Calls::kOnlyWithoutContent;
    for (const ToolCall& call : message.tool_calls) {
      const std::string where = MessagePlace(conversation_, message);
      HADAL_ASSIGN_OR_RETURN(const std::string arguments,
                             rules_.dumps_arguments ? DumpedArguments(options_, call, where)
                                                    : InsertedArguments(options_, call, where));
      if (!section_opened_) {
        out_.Markup(kAssistant);
        if (rules_.calls == Calls::kAfterContent) out_.Quote(message.content.Join("\n"));
        out_.Markup(kCallsBegin);
        WriteCallV3(call, arguments, &out_);
        section_opened_ = true;
      } else {
        out_.Markup("\n");
        WriteCallV3(call, arguments, &out_);
        if (!closes_once) out_.Markup(kCallsEnd).Markup(kEnd);
      }
    }
    if (closes_once) out_.Markup(kCallsEnd).Markup(kEnd);
    return {};
  }

  Status WriteAnswer(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    if (after_results_)
      out_.Markup(kOutputsEnd).Quote(text);
    else
      out_.Markup(kAssistant).Quote(rules_.drops_reasoning ? AfterLast(text, kThinkEnd) : text);
    out_.Markup(kEnd);
    after_results_ = false;
    return {};
  }

  Status WriteResult(const Message& message) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation_, message));
    out_.Markup(results_opened_ ? rules_.between_results : kOutputsBegin);
    out_.Markup(kOutputBegin).Quote(text).Markup(kOutputEnd);
    results_opened_ = true;
    after_results_ = true;
    return {};
  }

  const Conversation& conversation_;
  const EncodeOptions& options_;
  const Rules& rules_;
  PromptWriter& out_;
  bool section_opened_ = false;  // once for the whole conversation, as the templates have it
  bool results_opened_ = false;  // likewise
  bool after_results_ = false;
};

}  // namespace

Status EncodeV3(const Conversation& conversation, const EncodeOptions& options, PromptWriter* out) {
  return Turns(conversation, options, kV3, out).Write();
}

Status EncodeR1(const Conversation& conversation, const EncodeOptions& options, PromptWriter* out) {
  return Turns(conversation, options, kR1, out).Write();
}

Status EncodeR1Distill(const Conversation& conversation, const EncodeOptions& options,
                       PromptWriter* out) {
  return Turns(conversation, options, kDistill, out).Write();
}

// The copy of the distill template that llama.cpp ships for Qwen-32B, with `enable_thinking`.
Status EncodeR1DistillQwen(const Conversation& conversation, const EncodeOptions& options,
                           PromptWriter* out) {
  const Rules& rules = ThinkingOn(options, false) ? kDistillQwenThinking : kDistillQwen;
  return Turns(conversation, options, rules, out).Write();
}

}  // namespace hadal
