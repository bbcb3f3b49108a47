#include "text/prompt_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "text/continue_turn.h"
#include "text/deepseek_marks.h"
#include "text/dsml.h"
#include "text/encode.h"

namespace hadal {
namespace {

using Texts = std::span<const std::string_view>;

constexpr std::string_view kTalkRoles[] = {"system", "user", "assistant"};
constexpr std::string_view kToolRoles[] = {"system", "user", "assistant", "tool"};
constexpr std::string_view kV32Roles[] = {"system", "user", "assistant", "tool", "developer"};
constexpr std::string_view kV4Roles[] = {"system", "user",      "assistant",
                                         "tool",   "developer", "latest_reminder"};

constexpr std::string_view kDeepSeekStops[] = {deepseek::kEnd};
constexpr std::string_view kChatMlStops[] = {"<|im_end|>", "<|endoftext|>"};
constexpr std::string_view kHermesStops[] = {"<|im_end|>", "<|end_of_text|>"};
constexpr std::string_view kKimiStops[] = {"<|im_end|>", "[EOS]"};
constexpr std::string_view kLlamaStops[] = {"<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"};

constexpr std::string_view kV2Marks[] = {deepseek::kBegin, deepseek::kEnd};
constexpr std::string_view kV3Marks[] = {deepseek::kBegin, deepseek::kEnd, deepseek::kUser,
                                         deepseek::kAssistant};
constexpr std::string_view kR1Marks[] = {deepseek::kBegin, deepseek::kEnd,
                                         deepseek::kUser,  deepseek::kAssistant,
                                         deepseek::kThink, deepseek::kThinkEnd};
constexpr std::string_view kV4Marks[] = {
    deepseek::kBegin, deepseek::kEnd,      deepseek::kUser, deepseek::kAssistant,
    deepseek::kThink, deepseek::kThinkEnd, dsml::kToken};
constexpr std::string_view kV41Marks[] = {
    deepseek::kBegin, deepseek::kEnd,      deepseek::kUser, deepseek::kAssistant,
    deepseek::kThink, deepseek::kThinkEnd, dsml::kToken,    "<\uFF5CSystem\uFF5C>"};
constexpr std::string_view kChatMlMarks[] = {"<|im_start|>", "<|im_end|>"};
constexpr std::string_view kHermesMarks[] = {"<|begin_of_text|>", "<|im_start|>", "<|im_end|>"};
constexpr std::string_view kKimiMarks[] = {"<|im_system|>", "<|im_user|>", "<|im_assistant|>",
                                           "<|im_middle|>", "<|im_end|>"};
constexpr std::string_view kLlamaMarks[] = {"<|begin_of_text|>", "<|start_header_id|>",
                                            "<|end_header_id|>", "<|eot_id|>"};

// What tells the published templates apart. Short pieces without line ends, since containers write
// those in different ways.
constexpr std::string_view kV2Holds[] = {"'User: ' + message['content'] +",
                                         "'Assistant: ' + message['content'] + eos_token"};
constexpr std::string_view kV3Holds[] = {"ns.is_first_sp", "message['content'] is none",
                                         "{{'<\uFF5CUser\uFF5C>' + message['content']}}",
                                         "{{'<\uFF5CAssistant\uFF5C>'}}"};
constexpr std::string_view kV3Lacks[] = {"think>", "is_last_user", "tojson"};
constexpr std::string_view kR1Holds[] = {"ns.is_first_sp", "'tool_calls' in message",
                                         "'<\uFF5CAssistant\uFF5C><think>",
                                         "content.split('</think>')[-1]"};
constexpr std::string_view kR1Lacks[] = {"is_last_user", "enable_thinking", "tojson"};
constexpr std::string_view kDistillHolds[] = {
    "ns.system_prompt = message['content']", "message['content'] is none",
    "'<\uFF5CAssistant\uFF5C><think>", "content.split('</think>')[-1]"};
constexpr std::string_view kDistillLacks[] = {"is_first_sp", "enable_thinking", "tojson"};
constexpr std::string_view kDistillQwenHolds[] = {
    "ns.system_prompt = message['content']", "not enable_thinking",
    "'<\uFF5CAssistant\uFF5C><think>", "['arguments'] | tojson"};
constexpr std::string_view kDistillQwenLacks[] = {"is_first_sp"};
constexpr std::string_view kV30324Holds[] = {
    "ns.is_last_user", "'<\uFF5CUser\uFF5C>' + message['content'] + '<\uFF5CAssistant\uFF5C>'",
    "tool\u2581outputs\u2581begin"};
constexpr std::string_view kV30324Lacks[] = {"think>", "tojson"};
constexpr std::string_view kR10528Holds[] = {
    "ns.is_last_user", "'<\uFF5CUser\uFF5C>' + content + '<\uFF5CAssistant\uFF5C>'",
    "content.split('</think>')[-1]", "tool\u2581outputs\u2581begin"};
constexpr std::string_view kR10528Lacks[] = {"<think>", "enable_thinking"};
constexpr std::string_view kV3VllmHolds[] = {
    "ns.is_last_user", "'<\uFF5CUser\uFF5C>' + message['content'] + '<\uFF5CAssistant\uFF5C>'",
    "For function call returns, you should first print", "tojson"};
constexpr std::string_view kV31Holds[] = {"ns.is_last_user", "message['prefix']",
                                          "'<\uFF5CAssistant\uFF5C></think>'"};
constexpr std::string_view kV31Lacks[] = {"<think></think>", "tool_call_name", "DSML"};
constexpr std::string_view kV31LlamaCppHolds[] = {"ns.is_last_user", "message['prefix']",
                                                  "'<\uFF5CAssistant\uFF5C><think></think>'"};
constexpr std::string_view kV31LlamaCppLacks[] = {"tool_call_name", "DSML"};
constexpr std::string_view kV31VllmHolds[] = {
    "ns.is_last_user", "message['prefix']", "'<\uFF5CAssistant\uFF5C></think>'", "tool_call_name"};
// These are about the text of an encoder.
constexpr std::string_view kV32Types[] = {"deepseek_v32"};
constexpr std::string_view kV32Holds[] = {"function_calls", "</function_results>"};
constexpr std::string_view kV4Types[] = {"deepseek_v4"};
constexpr std::string_view kV4Holds[] = {"tool_calls", "Reasoning Effort: Absolute maximum"};
constexpr std::string_view kV4Lacks[] = {"Reasoning Effort: Beyond maximum"};
constexpr std::string_view kV40731Holds[] = {"tool_calls", "Reasoning Effort: Beyond maximum"};
constexpr std::string_view kV41Types[] = {"deepseek_v41"};
constexpr std::string_view kV41Holds[] = {"(range 1-100, the higher the value", "<\uFF5CSystem"};
constexpr std::string_view kV4Efforts[] = {"high", "max"};
constexpr std::string_view kV40731Efforts[] = {"low", "high", "max"};
constexpr std::string_view kV41Efforts[] = {"low", "high", "xhigh", "max"};

constexpr std::string_view kKimiK2Holds[] = {"tool_declare",
                                             "You are a helpful assistant<|im_end|>",
                                             "## Return of {{ message.tool_call_id }}"};
constexpr std::string_view kKimiInstructHolds[] = {
    "tool_declare", "You are Kimi, an AI assistant created by Moonshot AI.<|im_end|>",
    "tool_response_queue"};
constexpr std::string_view kKimiInstructLacks[] = {"think"};
constexpr std::string_view kKimiThinkingHolds[] = {
    "tool_declare", "You are Kimi, an AI assistant created by Moonshot AI.<|im_end|>",
    "tool_response_queue", "<think></think>", "hist_msgs"};
constexpr std::string_view kKimiThinkingLacks[] = {"thinking is defined", "preserve_thinking",
                                                   "video"};
constexpr std::string_view kMoonlightHolds[] = {"<|im_system|>", "<|im_middle|>",
                                                "You are a helpful assistant<|im_end|>"};
constexpr std::string_view kMoonlightLacks[] = {"tool", "media", "image"};
constexpr std::string_view kQwen2Holds[] = {"<|im_start|>", "messages[0]['role'] != 'system'",
                                            "You are a helpful assistant<|im_end|>"};
constexpr std::string_view kQwen2InstructHolds[] = {
    "<|im_start|>", "messages[0]['role'] != 'system'", "You are a helpful assistant.<|im_end|>"};
constexpr std::string_view kPlainLacks[] = {"tool", "image", "think"};
constexpr std::string_view kSmolLm2Holds[] = {"<|im_start|>", "messages[0]['role'] != 'system'",
                                              "named SmolLM, trained by Hugging Face<|im_end|>"};
constexpr std::string_view kQwen25Holds[] = {
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", "<args-json-object>",
    "tool_call.arguments | tojson", "You may call one or more functions to assist"};
constexpr std::string_view kQwen25Lacks[] = {"think", "image"};
constexpr std::string_view kQwen3Holds[] = {"loop.index0 > ns.last_query_index",
                                            "enable_thinking is false", "<args-json-object>",
                                            "You may call one or more functions to assist"};
constexpr std::string_view kQwen3Lacks[] = {"image", "video", "bos_token", "preserve_thinking"};
constexpr std::string_view kHermesHolds[] = {"You are a function calling AI model.",
                                             "json_to_python_type", "<tool_response>"};
constexpr std::string_view kLlama3Holds[] = {"'<|start_header_id|>' + message['role'] + '<|end_",
                                             "message['content'] | trim", "bos_token + content"};
constexpr std::string_view kLlama3Lacks[] = {"tool", "Today Date", "image"};
constexpr std::string_view kLlama31Holds[] = {"Cutting Knowledge Date: December 2023",
                                              "tools_in_user_message", "<|eom_id|>",
                                              "builtin_tools is defined"};
constexpr std::string_view kLlama31Lacks[] = {"image", "strftime_now"};
constexpr std::string_view kLlama32Holds[] = {"Cutting Knowledge Date: December 2023",
                                              "tools_in_user_message", "strftime_now"};
constexpr std::string_view kLlama32Lacks[] = {"image", "builtin_tools is defined"};

using enum AnswerSyntax;
using enum ArgumentsForm;
constexpr Texts kNothing;
constexpr MessageExtras kPlainMessages = MessageExtras::kNone;
constexpr AnswerShape kSpaced = {.before_text = " "};
constexpr AnswerShape kThinkLines = {.think_break = "\n"};

constexpr PromptFormat kFormats[] = {
    {"v2", "DeepSeek-V2 and V2-Lite Chat", EncodeV2, kPlain, Thinking::kNone, ToolSupport::kNone,
     kText, kTalkRoles, kDeepSeekStops, kV2Marks, kV2Holds, kNothing, kNothing, kPlainMessages,
     kNothing, 0, kSpaced},
    {"v3", "DeepSeek-V3", EncodeV3, kDeepSeekV3, Thinking::kNone, ToolSupport::kCallsOnly, kText,
     kToolRoles, kDeepSeekStops, kV3Marks, kV3Holds, kV3Lacks},
    {"v3_0324", "DeepSeek-V3-0324", EncodeV30324, kDeepSeekV3, Thinking::kNone,
     ToolSupport::kCallsOnly, kText, kToolRoles, kDeepSeekStops, kV3Marks, kV30324Holds,
     kV30324Lacks},
    {"v3_vllm_tools", "DeepSeek-V3 behind vLLM's tool template", EncodeV3VllmTools, kDeepSeekV3,
     Thinking::kNone, ToolSupport::kFull, kValue, kToolRoles, kDeepSeekStops, kV3Marks,
     kV3VllmHolds, kNothing},
    {"r1", "DeepSeek-R1", EncodeR1, kDeepSeekV3, Thinking::kAlways, ToolSupport::kCallsOnly, kText,
     kToolRoles, kDeepSeekStops, kR1Marks, kR1Holds, kR1Lacks, kNothing, kPlainMessages, kNothing,
     0, kThinkLines},
    {"r1_0528", "DeepSeek-R1-0528", EncodeR10528, kDeepSeekV3, Thinking::kAlways,
     ToolSupport::kCallsOnly, kText, kToolRoles, kDeepSeekStops, kR1Marks, kR10528Holds,
     kR10528Lacks, kNothing, kPlainMessages, kNothing, 0, kThinkLines},
    {"r1_distill", "DeepSeek-R1-Distill-Llama and -Qwen", EncodeR1Distill, kDeepSeekV3,
     Thinking::kAlways, ToolSupport::kCallsOnly, kText, kToolRoles, kDeepSeekStops, kR1Marks,
     kDistillHolds, kDistillLacks, kNothing, kPlainMessages, kNothing, 0, kThinkLines},
    {"r1_distill_qwen", "the same with enable_thinking, as llama.cpp changed it",
     EncodeR1DistillQwen, kDeepSeekV3, Thinking::kOnDemand, ToolSupport::kCallsOnly, kValue,
     kToolRoles, kDeepSeekStops, kR1Marks, kDistillQwenHolds, kDistillQwenLacks, kNothing,
     kPlainMessages, kNothing, 0, kThinkLines},
    {"v31", "DeepSeek-V3.1 and V3.1-Terminus", EncodeV31, kDeepSeekV31, Thinking::kOnDemand,
     ToolSupport::kCallsOnly, kText, kToolRoles, kDeepSeekStops, kR1Marks, kV31Holds, kV31Lacks},
    {"v31_llamacpp", "DeepSeek-V3.1 as llama.cpp changed it", EncodeV31LlamaCpp, kDeepSeekV31,
     Thinking::kOnDemand, ToolSupport::kCallsOnly, kValue, kToolRoles, kDeepSeekStops, kR1Marks,
     kV31LlamaCppHolds, kV31LlamaCppLacks},
    {"v31_vllm_tools", "DeepSeek-V3.1 behind vLLM's tool template", EncodeV31VllmTools,
     kDeepSeekV31, Thinking::kOnDemand, ToolSupport::kFull, kValue, kToolRoles, kDeepSeekStops,
     kR1Marks, kV31VllmHolds, kNothing},
    {"v32", "DeepSeek-V3.2", EncodeV32, kDsmlV32, Thinking::kOnDemand, ToolSupport::kFull, kText,
     kV32Roles, kDeepSeekStops, kR1Marks, kV32Holds, kNothing, kV32Types, MessageExtras::kTools},
    {"v4", "DeepSeek-V4 as first released", EncodeV4, kDsmlV4, Thinking::kUsually,
     ToolSupport::kFull, kText, kV4Roles, kDeepSeekStops, kV4Marks, kV4Holds, kV4Lacks, kV4Types,
     MessageExtras::kTasks, kV4Efforts},
    {"v4_0731", "DeepSeek-V4, revision 0731", EncodeV40731, kDsmlV4, Thinking::kUsually,
     ToolSupport::kFull, kText, kV4Roles, kDeepSeekStops, kV4Marks, kV40731Holds, kNothing,
     kV4Types, MessageExtras::kTasks, kV40731Efforts},
    {"v41", "DeepSeek-V4.1", EncodeV41, kDsmlV41, Thinking::kUsually, ToolSupport::kFull, kText,
     kV4Roles, kDeepSeekStops, kV41Marks, kV41Holds, kNothing, kV41Types, MessageExtras::kTasks,
     kV41Efforts, 100},
    {"kimi_k2", "Kimi-K2-Instruct as first released", EncodeKimiK2, kKimiK2, Thinking::kNone,
     ToolSupport::kFull, kValue, kToolRoles, kKimiStops, kKimiMarks, kKimiK2Holds, kNothing},
    {"kimi_k2_instruct", "Kimi-K2-Instruct", EncodeKimiK2Instruct, kKimiK2, Thinking::kNone,
     ToolSupport::kFull, kValue, kNothing, kKimiStops, kKimiMarks, kKimiInstructHolds,
     kKimiInstructLacks},
    {"kimi_k2_thinking", "Kimi-K2-Thinking", EncodeKimiK2Thinking, kKimiK2, Thinking::kAlways,
     ToolSupport::kFull, kValue, kNothing, kKimiStops, kKimiMarks, kKimiThinkingHolds,
     kKimiThinkingLacks},
    {"moonlight", "Moonlight-16B-A3B-Instruct", EncodeMoonlight, kPlain, Thinking::kNone,
     ToolSupport::kNone, kText, kTalkRoles, kKimiStops, kKimiMarks, kMoonlightHolds,
     kMoonlightLacks},
    {"qwen2", "Qwen2-Instruct (default text without full stop)", EncodeQwen2, kPlain,
     Thinking::kNone, ToolSupport::kNone, kText, kNothing, kChatMlStops, kChatMlMarks, kQwen2Holds,
     kPlainLacks},
    {"qwen2_instruct", "Qwen1.5 and Qwen2 (default text with full stop)", EncodeQwen2Instruct,
     kPlain, Thinking::kNone, ToolSupport::kNone, kText, kNothing, kChatMlStops, kChatMlMarks,
     kQwen2InstructHolds, kPlainLacks},
    {"qwen2_5", "Qwen2.5-Instruct", EncodeQwen25, kHermes, Thinking::kNone, ToolSupport::kFull,
     kValue, kToolRoles, kChatMlStops, kChatMlMarks, kQwen25Holds, kQwen25Lacks},
    {"qwen3", "Qwen3", EncodeQwen3, kHermes, Thinking::kUsually, ToolSupport::kFull, kValue,
     kToolRoles, kChatMlStops, kChatMlMarks, kQwen3Holds, kQwen3Lacks, kNothing, kPlainMessages,
     kNothing, 0, kThinkLines},
    {"smollm2", "SmolLM2-Instruct", EncodeSmolLm2, kPlain, Thinking::kNone, ToolSupport::kNone,
     kText, kNothing, kChatMlStops, kChatMlMarks, kSmolLm2Holds, kPlainLacks},
    {"chatml", "any model with <|im_start|> turns and no default system text", EncodeChatMl, kPlain,
     Thinking::kNone, ToolSupport::kNone, kText, kNothing, kChatMlStops, kChatMlMarks, kNothing,
     kNothing},
    {"llama3", "Llama-3-Instruct", EncodeLlama3, kPlain, Thinking::kNone, ToolSupport::kNone, kText,
     kNothing, kLlamaStops, kLlamaMarks, kLlama3Holds, kLlama3Lacks},
    {"llama3_1", "Llama-3.1-Instruct (its template is also that of 3.3)", EncodeLlama31, kLlama3,
     Thinking::kNone, ToolSupport::kFull, kValue, kNothing, kLlamaStops, kLlamaMarks, kLlama31Holds,
     kLlama31Lacks},
    {"llama3_2", "Llama-3.2-Instruct, text models", EncodeLlama32, kLlama3, Thinking::kNone,
     ToolSupport::kFull, kValue, kNothing, kLlamaStops, kLlamaMarks, kLlama32Holds, kLlama32Lacks},
    {"llama3_3", "Llama-3.3-Instruct", EncodeLlama31, kLlama3, Thinking::kNone, ToolSupport::kFull,
     kValue, kNothing, kLlamaStops, kLlamaMarks, kNothing, kNothing},
    {"hermes3", "Hermes 3 and Hermes 2 Pro", EncodeHermes3, kHermes, Thinking::kNone,
     ToolSupport::kFull, kValue, kToolRoles, kHermesStops, kHermesMarks, kHermesHolds, kNothing},
};

std::string Listed(Texts texts) { return fmt::format("{}", fmt::join(texts, ", ")); }

Status AdmitRoles(const PromptFormat& format, const Conversation& conversation) {
  for (const Message& message : conversation.messages) {
    const std::string place = MessagePlace(conversation, message);
    if (!format.roles.empty() &&
        std::ranges::find(format.roles, message.role) == format.roles.end())
      return Unsupported(
          place + ".role", fmt::format("\"{}\"", message.role), Listed(format.roles),
          message.role == "developer" ? "use the role system" : "use one of these roles");
    const bool tools = message.role == "tool" || !message.tool_calls.empty();
    if (tools && format.tools == ToolSupport::kNone)
      return Unsupported(place, "a tool call or result", "a conversation without tools",
                         "this model was not trained on tools");
  }
  return {};
}

// What a message holds beside text, reasoning and calls, and where.
Status AdmitExtras(const PromptFormat& format, const Conversation& conversation) {
  const auto refuse = [&](const Message& message, std::string found, std::string expected) {
    return Unsupported(MessagePlace(conversation, message), std::move(found), std::move(expected),
                       "leave it out, or choose the format that knows it with --template");
  };
  for (const Message& message : conversation.messages) {
    const auto is_text = [](const ContentPart& part) { return part.is_text(); };
    const auto other = std::ranges::find_if_not(message.content.parts, is_text);
    if (other != message.content.parts.end() && format.extras != MessageExtras::kTasks)
      return Unsupported(MessagePlace(conversation, message) + ".content",
                         "a part of type \"" + other->type + "\"", "text parts only",
                         "leave out images, sound and files");
    if (!message.tools.empty() || !message.response_format.is_null()) {
      const std::string found = message.tools.empty() ? "response_format" : "tools";
      if (format.extras == MessageExtras::kNone)
        return refuse(message, found + " in a message", "none; tools stand beside the messages");
      if (message.role != "system" && message.role != "developer")
        return refuse(message, found + " in a message of the role " + message.role,
                      "in messages of the roles system and developer only");
    }
    if ((!message.task.empty() || message.open_end) && format.extras != MessageExtras::kTasks)
      return refuse(message, message.open_end ? "wo_eos" : "a task", "none in this format");
  }
  return {};
}

Status AdmitThinking(const PromptFormat& format, Think think) {
  const auto refuse = [](std::string found, std::string expected) {
    return UsageError("--think", std::move(found), std::move(expected),
                      "leave the option out for the model's own way");
  };
  if (format.thinking == Thinking::kNone && think == Think::kOn)
    return refuse("on", "off, since this model does not think");
  if (format.thinking == Thinking::kAlways && think == Think::kOff)
    return refuse("off", "on, since this model always thinks");
  return {};
}

// By name, or as a number without sign and leading zeros.
bool KnowsEffort(const PromptFormat& format, std::string_view effort) {
  if (std::ranges::find(format.efforts, effort) != format.efforts.end()) return true;
  int number = 0;
  const auto [end, error] = std::from_chars(effort.data(), effort.data() + effort.size(), number);
  return error == std::errc() && end == effort.data() + effort.size() && effort.front() != '0' &&
         number >= 1 && number <= format.most_effort;
}

Status AdmitEffort(const PromptFormat& format, std::string_view effort) {
  if (effort.empty() || KnowsEffort(format, effort)) return {};
  std::string expected = "off or on; this format knows no efforts";
  if (!format.efforts.empty()) expected = Listed(format.efforts);
  if (format.most_effort > 0)
    expected += fmt::format(", or a number from 1 to {}", format.most_effort);
  return UsageError("the effort of thinking", fmt::format("\"{}\"", effort), std::move(expected),
                    "leave the option out for the model's own way");
}

Status Admit(const PromptFormat& format, const Conversation& conversation,
             const EncodeOptions& options) {
  if (conversation.messages.empty())
    return Unusable("messages", "an empty list", "at least one message", "add a user message");
  if (!conversation.tools.empty() && format.tools == ToolSupport::kNone)
    return Unsupported("tools", std::to_string(conversation.tools.size()) + " tool definitions",
                       "none", "this model was not trained on tools");
  HADAL_RETURN_IF_ERROR(AdmitEffort(format, options.effort));
  HADAL_RETURN_IF_ERROR(AdmitThinking(format, options.think));
  HADAL_RETURN_IF_ERROR(AdmitRoles(format, conversation));
  return AdmitExtras(format, conversation);
}

}  // namespace

std::span<const PromptFormat> PromptFormats() { return kFormats; }

Result<const PromptFormat*> FindPromptFormat(std::string_view name) {
  std::string names;
  for (const PromptFormat& format : kFormats) {
    if (format.name == name) return &format;
    if (!names.empty()) names += ", ";
    names += format.name;
  }
  return UsageError("prompt format", fmt::format("\"{}\"", name), "one of the known names", names);
}

Result<Prompt> EncodePrompt(const PromptFormat& format, const Conversation& conversation,
                            const EncodeOptions& options) {
  const std::string where = "format " + std::string(format.name);
  EncodeOptions resolved = options;
  if (!resolved.arguments) resolved.arguments = format.arguments;
  if (resolved.think == Think::kMax) {
    resolved.think = Think::kOn;
    if (resolved.effort.empty()) resolved.effort = "max";
  }
  PromptWriter writer;
  if (const Status status = Admit(format, conversation, resolved); !status.ok())
    return status.At(where);
  if (resolved.continue_last) {
    if (const Status status = EncodeContinued(format, conversation, resolved, &writer);
        !status.ok())
      return status.At(where);
    return std::move(writer).Finish();
  }
  if (const Status status = format.encode(conversation, resolved, &writer); !status.ok())
    return status.At(where);
  writer.set_inside_think(EndsInsideThink(writer.text()));
  return std::move(writer).Finish();
}

Result<std::string> Encode(const PromptFormat& format, const Conversation& conversation,
                           const EncodeOptions& options) {
  HADAL_ASSIGN_OR_RETURN(Prompt prompt, EncodePrompt(format, conversation, options));
  return std::move(prompt.text);
}

bool EndsInsideThink(std::string_view prompt) {
  if (prompt.ends_with('\n')) prompt.remove_suffix(1);
  return prompt.ends_with(deepseek::kThink);
}

}  // namespace hadal
