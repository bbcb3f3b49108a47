#include "serve/openai_chat_messages.h"

#include <algorithm>
#include <set>

#include "serve/field_lists.h"

namespace hadal {
namespace {

constexpr std::size_t kMostMessages = 4096;
constexpr std::size_t kMostCalls = 128;
constexpr std::string_view kRoles[] = {"developer", "system", "user",
                                       "assistant", "tool",   "function"};
constexpr std::string_view kIgnored[] = {"audio", "refusal", "annotations", "reasoning_details"};
constexpr std::string_view kIgnoredOfParts[] = {"annotations", "cache_control"};

// A text, or parts of which every one must be text.
std::string ReadContent(Fields* message) {
  const Metadata* value = message->Any("content");
  if (value == nullptr) return "";
  if (!value->is_array()) return message->Text("content").value_or("");
  std::string text;
  for (Fields& part : ObjectsOf(message, "content", 1, kMostMessages)) {
    part.Require("type");
    const std::string type = part.Text("type").value_or("text");
    if (type != "text" && type != "refusal") {
      part.Fail("type", "'" + type + "' is not supported: this server reads text",
                "unsupported_value");
      break;
    }
    part.Require(type);
    if (!text.empty()) text += '\n';
    text += part.Text(type).value_or("");
    part.Ignore(kIgnoredOfParts);
    part.Finish();
  }
  return text;
}

ChatToolCall ReadFunction(Fields* function) {
  ChatToolCall call;
  function->Require("name");
  call.name = function->Text("name").value_or("");
  // As the model wrote it, which need not be JSON.
  call.arguments = function->Text("arguments").value_or("{}");
  function->Finish();
  return call;
}

void ReadCalls(Fields* message, std::set<std::string>* known, ChatMessage* out) {
  for (Fields& item : ObjectsOf(message, "tool_calls", 0, kMostCalls)) {
    item.Require("id");
    item.Require("function");
    ChatToolCall call;
    if (auto function = item.Object("function")) call = ReadFunction(&*function);
    call.id = item.Text("id").value_or("");
    known->insert(call.id);
    constexpr std::string_view kRest[] = {"type", "index"};
    item.Ignore(kRest);
    item.Finish();
    out->tool_calls.push_back(std::move(call));
  }
  // The form before tools: one call, known by its name.
  if (auto function = message->Object("function_call")) {
    ChatToolCall call = ReadFunction(&*function);
    call.id = call.name;
    known->insert(call.id);
    out->tool_calls.push_back(std::move(call));
  }
}

void ReadMessage(Fields* message, bool last, std::set<std::string>* calls, Chat* chat) {
  message->Require("role");
  ChatMessage out;
  out.role = message->Word("role", kRoles).value_or("user");
  if (out.role == "developer") out.role = "system";
  out.name = message->Text("name").value_or("");
  out.text = ReadContent(message);
  if (out.role == "assistant") {
    // Both names are in use.
    out.reasoning =
        message->Text("reasoning_content").value_or(message->Text("reasoning").value_or(""));
    message->Any("reasoning");
    ReadCalls(message, calls, &out);
  } else if (message->Any("content") == nullptr) {
    message->Fail("content", "is required", "missing_required_parameter");
  }
  if (out.role == "tool") {
    message->Require("tool_call_id");
    out.tool_call_id = message->Text("tool_call_id").value_or("");
  } else if (out.role == "function") {
    message->Require("name");
    out.role = "tool";
    out.tool_call_id = out.name;
  }
  if (out.role == "tool" && !calls->contains(out.tool_call_id))
    message->Fail(out.tool_call_id == out.name ? "name" : "tool_call_id",
                  "answers no call of an earlier message", "invalid_value");
  if (message->Boolean("prefix").value_or(false)) {
    if (out.role != "assistant" || !last)
      message->Fail("prefix", "is for the last message, of the role assistant", "invalid_value");
    chat->continue_last = true;
  }
  message->Ignore(kIgnored);
  message->Finish();
  chat->messages.push_back(std::move(out));
}

}  // namespace

void ReadChatMessages(Fields* body, Chat* chat) {
  body->Require("messages");
  auto messages = ObjectsOf(body, "messages", 1, kMostMessages);
  std::set<std::string> calls;
  for (std::size_t i = 0; i < messages.size(); ++i)
    ReadMessage(&messages[i], i + 1 == messages.size(), &calls, chat);
}

}  // namespace hadal
