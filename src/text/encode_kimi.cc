// Moonshot's formats: Kimi-K2 as first released, as revised for the Instruct model,
// Kimi-K2-Thinking, and Moonlight. Every message is <|im_X|>ROLE<|im_middle|>TEXT<|im_end|>, no
// text between them.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "text/encode.h"

namespace hadal {
namespace {

constexpr std::string_view kMiddle = "<|im_middle|>";
constexpr std::string_view kEnd = "<|im_end|>";
constexpr std::string_view kAssistantTurn = "<|im_assistant|>assistant<|im_middle|>";
constexpr std::string_view kDefaultHelpful = "You are a helpful assistant";
constexpr std::string_view kDefaultKimi = "You are Kimi, an AI assistant created by Moonshot AI.";

void WriteTools(const Conversation& conversation, PromptWriter* out) {
  if (conversation.tools.empty()) return;
  out->Markup("<|im_system|>tool_declare<|im_middle|>");
  out->Quote(DumpJson(Metadata(conversation.tools))).Markup(kEnd);
}

// `after` is what the template leaves behind the message.
void WriteDefaultSystem(const Conversation& conversation, std::string_view text,
                        std::string_view after, PromptWriter* out) {
  if (conversation.messages.front().role == "system") return;
  out->Markup("<|im_system|>system<|im_middle|>").Markup(text).Markup(kEnd).Markup(after);
}

// A message may give the name to be printed for its role.
void WriteHeader(const Message& message, bool names, PromptWriter* out) {
  if (message.role == "user")
    out->Markup("<|im_user|>");
  else if (message.role == "assistant")
    out->Markup("<|im_assistant|>");
  else
    out->Markup("<|im_system|>");
  if (names && !message.name.empty())
    out->Quote(message.name);
  else
    out->Markup(message.role);
  out->Markup(kMiddle);
}

void WriteCall(std::string_view id, std::string_view arguments, PromptWriter* out) {
  out->Markup("<|tool_call_begin|>").Quote(id).Markup("<|tool_call_argument_begin|>");
  out->Quote(arguments).Markup("<|tool_call_end|>");
}

// The revised templates number the calls of the whole conversation and hand these ids out to the
// results in order, whatever ids the messages carry.
class CallIds {
 public:
  std::string Next(const ToolCall& call) {
    waiting_.push_back(fmt::format("functions.{}:{}", call.name, count_++));
    return waiting_.back();
  }
  std::string Take(const Message& result) {
    if (waiting_.empty())
      return fmt::format("functions.{}:{}", result.name.empty() ? "unknown" : result.name, count_);
    std::string id = std::move(waiting_.front());
    waiting_.pop_front();
    return id;
  }

 private:
  std::deque<std::string> waiting_;
  int count_ = 0;
};

Status WriteCalls(const Conversation& conversation, const Message& message,
                  const EncodeOptions& options, CallIds* ids, PromptWriter* out) {
  out->Markup("<|tool_calls_section_begin|>");
  for (const ToolCall& call : message.tool_calls) {
    HADAL_ASSIGN_OR_RETURN(const std::string arguments,
                           InsertedArguments(options, call, MessagePlace(conversation, message)));
    WriteCall(ids->Next(call), arguments, out);
  }
  out->Markup("<|tool_calls_section_end|>");
  return {};
}

void WriteResult(const Message& message, CallIds* ids, PromptWriter* out) {
  out->Markup("## Return of ").Quote(ids->Take(message)).Markup("\n");
  out->Quote(message.content.Join(""));
}

}  // namespace

Status EncodeKimiK2(const Conversation& conversation, const EncodeOptions& options,
                    PromptWriter* out) {
  WriteTools(conversation, out);
  WriteDefaultSystem(conversation, kDefaultHelpful, "", out);
  for (const Message& message : conversation.messages) {
    WriteHeader(message, /*names=*/false, out);
    if (message.role == "tool") {
      HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation, message));
      // A backslash and an n: the template has them outside of a string.
      out->Markup("## Return of ").Quote(message.tool_call_id).Markup("\\n").Quote(text);
    } else {
      out->Quote(message.content.Join(""));
    }
    if (message.role == "assistant" && !message.tool_calls.empty()) {
      out->Markup("<|tool_calls_section_begin|>");
      for (std::size_t i = 0; i < message.tool_calls.size(); ++i) {
        const ToolCall& call = message.tool_calls[i];
        HADAL_ASSIGN_OR_RETURN(const std::string arguments,
                               DumpedArguments(options, call, MessagePlace(conversation, message)));
        WriteCall(fmt::format("functions.{}:{}", call.name, i), arguments, out);
      }
      out->Markup("<|tool_calls_section_end|>");
    }
    out->Markup(kEnd);
  }
  if (options.add_generation_prompt) out->Markup(kAssistantTurn);
  return {};
}

Status EncodeKimiK2Instruct(const Conversation& conversation, const EncodeOptions& options,
                            PromptWriter* out) {
  CallIds ids;
  WriteTools(conversation, out);
  WriteDefaultSystem(conversation, kDefaultKimi, "\n", out);
  for (const Message& message : conversation.messages) {
    WriteHeader(message, /*names=*/true, out);
    if (message.role == "tool")
      WriteResult(message, &ids, out);
    else
      out->Quote(message.content.Join(""));
    if (message.role == "assistant" && !message.tool_calls.empty())
      HADAL_RETURN_IF_ERROR(WriteCalls(conversation, message, options, &ids, out));
    out->Markup(kEnd);
  }
  if (options.add_generation_prompt) out->Markup(kAssistantTurn);
  return {};
}

// Reasoning is dropped up to the first answer. (The template means the last one, but its search
// has no break and ends at the first; this is the copy that llama.cpp ships.)
Status EncodeKimiK2Thinking(const Conversation& conversation, const EncodeOptions& options,
                            PromptWriter* out) {
  const auto is_answer = [](const Message& message) {
    return message.role == "assistant" && message.tool_calls.empty();
  };
  const auto first_answer = std::ranges::find_if(conversation.messages, is_answer);
  const bool any_answer = first_answer != conversation.messages.end();
  CallIds ids;
  WriteTools(conversation, out);
  WriteDefaultSystem(conversation, kDefaultKimi, "", out);
  for (const Message& message : conversation.messages) {
    WriteHeader(message, /*names=*/true, out);
    if (message.role == "tool") {
      WriteResult(message, &ids, out);
    } else if (message.role == "assistant") {
      const bool keeps_reasoning = !any_answer || &message > &*first_answer;
      out->Markup("<think>").Quote(keeps_reasoning ? message.reasoning : "").Markup("</think>");
      out->Quote(message.content.Join(""));
      if (!message.tool_calls.empty())
        HADAL_RETURN_IF_ERROR(WriteCalls(conversation, message, options, &ids, out));
    } else {
      out->Quote(message.content.Join(""));
    }
    out->Markup(kEnd);
  }
  if (options.add_generation_prompt) out->Markup(kAssistantTurn);
  return {};
}

// From a written description of the template (architectures.md section 7.3 of the shared
// reference), its default system text from public prompts of the model.
Status EncodeMoonlight(const Conversation& conversation, const EncodeOptions& options,
                       PromptWriter* out) {
  WriteDefaultSystem(conversation, kDefaultHelpful, "", out);
  for (const Message& message : conversation.messages) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation, message));
    WriteHeader(message, /*names=*/false, out);
    out->Quote(text).Markup(kEnd);
  }
  if (options.add_generation_prompt) out->Markup(kAssistantTurn);
  return {};
}

}  // namespace hadal
