// Qwen2.5 and Qwen3: <|im_start|> turns, definitions in the system turn, calls as JSON between
// <tool_call> marks, results together in one user turn.
#include "text/encode.h"

namespace hadal {
namespace {

constexpr std::string_view kStart = "<|im_start|>";
constexpr std::string_view kEnd = "<|im_end|>\n";
constexpr std::string_view kThinkEnd = "</think>";

void WriteTools(const std::vector<Metadata>& tools, PromptWriter* out) {
  out->Markup(
      "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
      "You are provided with function signatures within <tools></tools> XML tags:\n<tools>");
  for (const Metadata& tool : tools) out->Markup("\n").Quote(DumpJson(tool));
  out->Markup(
      "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
      "within <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, "
      "\"arguments\": <args-json-object>}\n</tool_call>");
}

void WriteCall(const ToolCall& call, std::string_view arguments, PromptWriter* out) {
  out->Markup("<tool_call>\n{\"name\": \"").Quote(call.name).Markup("\", \"arguments\": ");
  out->Quote(arguments).Markup("}\n</tool_call>");
}

// Neighbouring results share one user turn.
Status WriteResult(const Conversation& conversation, const Message& message, PromptWriter* out) {
  HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation, message));
  const Message* first = &conversation.messages.front();
  const Message* last = &conversation.messages.back();
  if (&message == first || (&message)[-1].role != "tool") out->Markup(kStart).Markup("user");
  out->Markup("\n<tool_response>\n").Quote(text).Markup("\n</tool_response>");
  if (&message == last || (&message)[1].role != "tool") out->Markup(kEnd);
  return {};
}

Status WritePlain(const Conversation& conversation, const Message& message, PromptWriter* out) {
  HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation, message));
  out->Markup(kStart).Quote(message.role).Markup("\n").Quote(text).Markup(kEnd);
  return {};
}

Status WriteQwen25Calls(const Conversation& conversation, const Message& message,
                        const EncodeOptions& options, PromptWriter* out) {
  const std::string text = message.content.Join("\n");
  out->Markup(kStart).Markup("assistant");
  if (!text.empty()) out->Markup("\n").Quote(text);
  for (const ToolCall& call : message.tool_calls) {
    HADAL_ASSIGN_OR_RETURN(const std::string arguments,
                           DumpedArguments(options, call, MessagePlace(conversation, message)));
    out->Markup("\n");
    WriteCall(call, arguments, out);
  }
  out->Markup(kEnd);
  return {};
}

// The last message that a user wrote; results that a client sent as a user's turn do not count.
std::size_t LastQuery(const Conversation& conversation) {
  for (std::size_t i = conversation.messages.size(); i-- > 0;) {
    if (conversation.messages[i].role != "user") continue;
    const std::string text = conversation.messages[i].content.Join("\n");
    if (!text.starts_with("<tool_response>") || !text.ends_with("</tool_response>")) return i;
  }
  return conversation.messages.size() - 1;
}

struct Answer {
  std::string reasoning, content;
};

// The reasoning stands in its own field or in front of the content. A null content is empty, as in
// the later revision of the template.
Answer SplitAnswer(const Message& message) {
  Answer answer{message.reasoning, message.content.Join("\n")};
  if (message.has_reasoning) return answer;
  const std::string_view text = answer.content;
  const std::size_t end = text.find(kThinkEnd);
  if (end == std::string_view::npos) return answer;
  answer.reasoning = TrimLeftLines(AfterLast(TrimRightLines(text.substr(0, end)), "<think>"));
  answer.content = std::string(TrimLeftLines(AfterLast(text, kThinkEnd)));
  return answer;
}

Status WriteQwen3Answer(const Conversation& conversation, const Message& message,
                        bool in_last_round, const EncodeOptions& options, PromptWriter* out) {
  const Answer answer = SplitAnswer(message);
  const bool last = &message == &conversation.messages.back();
  out->Markup("<|im_start|>assistant\n");
  if (in_last_round && (last || !answer.reasoning.empty())) {
    out->Markup("<think>\n").Quote(TrimRightLines(TrimLeftLines(answer.reasoning)));
    out->Markup("\n</think>\n\n").Quote(TrimLeftLines(answer.content));
  } else {
    out->Quote(answer.content);
  }
  bool first = true;
  for (const ToolCall& call : message.tool_calls) {
    HADAL_ASSIGN_OR_RETURN(const std::string arguments,
                           InsertedArguments(options, call, MessagePlace(conversation, message)));
    if (!std::exchange(first, false) || !answer.content.empty()) out->Markup("\n");
    WriteCall(call, arguments, out);
  }
  out->Markup(kEnd);
  return {};
}

}  // namespace

Status EncodeQwen25(const Conversation& conversation, const EncodeOptions& options,
                    PromptWriter* out) {
  const Message& first = conversation.messages.front();
  out->Markup("<|im_start|>system\n");
  if (first.role == "system") {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation, first));
    out->Quote(text);
  } else {
    out->Markup("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.");
  }
  if (!conversation.tools.empty()) {
    out->Markup("\n\n");
    WriteTools(conversation.tools, out);
  }
  out->Markup(kEnd);
  for (const Message& message : conversation.messages) {
    if (&message == &first && message.role == "system") continue;
    if (message.role == "tool")
      HADAL_RETURN_IF_ERROR(WriteResult(conversation, message, out));
    else if (message.role == "assistant" && !message.tool_calls.empty())
      HADAL_RETURN_IF_ERROR(WriteQwen25Calls(conversation, message, options, out));
    else
      HADAL_RETURN_IF_ERROR(WritePlain(conversation, message, out));
  }
  if (options.add_generation_prompt) out->Markup("<|im_start|>assistant\n");
  return {};
}

Status EncodeQwen3(const Conversation& conversation, const EncodeOptions& options,
                   PromptWriter* out) {
  const Message& first = conversation.messages.front();
  const bool has_system = first.role == "system";
  if (!conversation.tools.empty()) {
    out->Markup("<|im_start|>system\n");
    if (has_system) {
      HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation, first));
      out->Quote(text).Markup("\n\n");
    }
    WriteTools(conversation.tools, out);
    out->Markup(kEnd);
  } else if (has_system) {
    HADAL_RETURN_IF_ERROR(WritePlain(conversation, first, out));
  }
  const std::size_t last_query = LastQuery(conversation);
  for (std::size_t i = has_system ? 1 : 0; i < conversation.messages.size(); ++i) {
    const Message& message = conversation.messages[i];
    if (message.role == "tool")
      HADAL_RETURN_IF_ERROR(WriteResult(conversation, message, out));
    else if (message.role == "assistant")
      HADAL_RETURN_IF_ERROR(WriteQwen3Answer(conversation, message, i > last_query, options, out));
    else
      HADAL_RETURN_IF_ERROR(WritePlain(conversation, message, out));
  }
  if (!options.add_generation_prompt) return {};
  out->Markup("<|im_start|>assistant\n");
  if (!ThinkingOn(options, true)) out->Markup("<think>\n\n</think>\n\n");
  return {};
}

}  // namespace hadal
