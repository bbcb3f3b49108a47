#include "serve/openai_responses_items.h"

#include <algorithm>
#include <set>

#include "serve/field_lists.h"

namespace hadal {
namespace {

constexpr std::size_t kMostItems = 4096;
constexpr std::string_view kRoles[] = {"user", "assistant", "system", "developer"};
constexpr std::string_view kTextParts[] = {"input_text", "output_text",  "text",
                                           "refusal",    "summary_text", "reasoning_text"};
constexpr std::string_view kIgnoredOfParts[] = {"annotations", "logprobs",
                                                "prompt_cache_breakpoint"};
constexpr std::string_view kIgnoredOfItems[] = {
    "id", "status", "phase", "namespace", "caller", "encrypted_content", "created_by"};

using CallIds = std::set<std::string>;

// A field that is a text or parts of text.
std::string TextOf(Fields* fields, std::string_view key) {
  const Metadata* value = fields->Any(key);
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(*value->string());
  std::string text;
  for (Fields& part : ObjectsOf(fields, key, 0, kMostItems)) {
    const std::string type = part.Text("type").value_or("");
    if (std::ranges::find(kTextParts, type) == std::end(kTextParts)) {
      part.Fail("type", "'" + type + "' is not supported: this server reads text",
                "unsupported_value");
      break;
    }
    const char* member = type == "refusal" ? "refusal" : "text";
    part.Require(member);
    if (!text.empty()) text += '\n';
    text += part.Text(member).value_or("");
    part.Ignore(kIgnoredOfParts);
    part.Finish();
  }
  return text;
}

// The assistant's message that the next item of one turn belongs to.
ChatMessage& AssistantTurn(Chat* chat) {
  if (chat->messages.empty() || chat->messages.back().role != "assistant")
    chat->messages.push_back({.role = "assistant"});
  return chat->messages.back();
}

void ReadMessage(Fields* item, Chat* chat) {
  item->Require("role");
  item->Require("content");
  std::string role = item->Word("role", kRoles).value_or("user");
  if (role == "developer") role = "system";
  const std::string text = TextOf(item, "content");
  if (role == "assistant" && !chat->messages.empty() && chat->messages.back().role == "assistant" &&
      chat->messages.back().text.empty() && chat->messages.back().tool_calls.empty())
    chat->messages.back().text = text;  // after its reasoning
  else
    chat->messages.push_back({.role = role, .text = text});
}

void ReadReasoning(Fields* item, Chat* chat) {
  std::string text = TextOf(item, "content");
  const std::string summary = TextOf(item, "summary");
  if (text.empty()) text = summary;
  chat->messages.push_back({.role = "assistant", .reasoning = text});
}

void ReadCall(Fields* item, CallIds* calls, Chat* chat) {
  for (const char* key : {"call_id", "name", "arguments"}) item->Require(key);
  ChatToolCall call;
  call.id = item->Text("call_id").value_or("");
  call.name = item->Text("name").value_or("");
  call.arguments = item->Text("arguments").value_or("");
  calls->insert(call.id);
  AssistantTurn(chat).tool_calls.push_back(std::move(call));
}

void ReadOutput(Fields* item, const CallIds& calls, Chat* chat) {
  item->Require("call_id");
  item->Require("output");
  ChatMessage message{.role = "tool"};
  message.tool_call_id = item->Text("call_id").value_or("");
  if (!calls.contains(message.tool_call_id))
    item->Fail("call_id", "answers no function_call before it", "invalid_value");
  message.text = TextOf(item, "output");
  chat->messages.push_back(std::move(message));
}

void ReadItem(Fields* item, CallIds* calls, Chat* chat) {
  const std::string type = item->Text("type").value_or("message");
  if (type == "message")
    ReadMessage(item, chat);
  else if (type == "reasoning")
    ReadReasoning(item, chat);
  else if (type == "function_call")
    ReadCall(item, calls, chat);
  else if (type == "function_call_output")
    ReadOutput(item, *calls, chat);
  else
    return item->Fail("type", "'" + type + "' is not supported by this server",
                      "unsupported_value");
  item->Ignore(kIgnoredOfItems);
  item->Finish();
}

}  // namespace

void ReadResponsesInput(Fields* body, Chat* chat) {
  if (const auto instructions = body->Text("instructions"))
    chat->messages.push_back({.role = "system", .text = *instructions});
  body->Require("input");
  const Metadata* input = body->Any("input");
  if (input == nullptr) return;
  if (input->is_string()) {
    chat->messages.push_back({.role = "user", .text = std::string(*input->string())});
    return;
  }
  CallIds calls;
  for (Fields& item : ObjectsOf(body, "input", 1, kMostItems)) ReadItem(&item, &calls, chat);
}

}  // namespace hadal
