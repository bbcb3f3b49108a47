#include "serve/anthropic_blocks.h"

#include <set>

#include "base/json.h"
#include "serve/field_lists.h"

namespace hadal {
namespace {

constexpr std::size_t kMostMessages = 4096;
constexpr std::size_t kMostBlocks = 4096;
constexpr std::string_view kRoles[] = {"user", "assistant", "system"};
constexpr std::string_view kIgnoredOfText[] = {"citations", "cache_control"};
constexpr std::string_view kIgnoredOfResults[] = {"cache_control"};
constexpr std::string_view kIgnoredOfCalls[] = {"cache_control", "caller"};
constexpr std::string_view kIgnoredOfThinking[] = {"signature", "data"};

using CallIds = std::set<std::string>;

// The message that the next block of this role belongs to.
ChatMessage& MessageOf(std::string_view role, Chat* chat) {
  if (chat->messages.empty() || chat->messages.back().role != role)
    chat->messages.push_back({.role = std::string(role)});
  return chat->messages.back();
}

void AddText(std::string_view role, const std::string& text, Chat* chat) {
  ChatMessage& message = MessageOf(role, chat);
  if (!message.text.empty() && !text.empty()) message.text += '\n';
  message.text += text;
}

// The text of a field that is a text or blocks of text.
std::string JoinedText(Fields* fields, std::string_view key) {
  const Metadata* value = fields->Any(key);
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(*value->string());
  std::string joined;
  for (Fields& block : ObjectsOf(fields, key, 0, kMostBlocks)) {
    const std::string type = block.Text("type").value_or("");
    if (type != "text") {
      block.Fail("type", "'" + type + "' is not supported here; this server reads text",
                 "unsupported_value");
      break;
    }
    block.Require("text");
    if (!joined.empty()) joined += '\n';
    joined += block.Text("text").value_or("");
    block.Ignore(kIgnoredOfText);
    block.Finish();
  }
  return joined;
}

void ReadResult(Fields* block, const CallIds& calls, Chat* chat) {
  block->Require("tool_use_id");
  ChatMessage message{.role = "tool"};
  message.tool_call_id = block->Text("tool_use_id").value_or("");
  if (!calls.contains(message.tool_call_id))
    block->Fail("tool_use_id", "answers no tool_use before it", "invalid_value");
  message.text = JoinedText(block, "content");
  // The formats have no place for the mark; without a text it is what there is to say.
  if (block->Boolean("is_error").value_or(false) && message.text.empty()) message.text = "error";
  block->Ignore(kIgnoredOfResults);
  block->Finish();
  chat->messages.push_back(std::move(message));
}

void ReadCall(Fields* block, CallIds* calls, Chat* chat) {
  block->Require("id");
  block->Require("name");
  block->Require("input");
  ChatToolCall call;
  call.id = block->Text("id").value_or("");
  call.name = block->Text("name").value_or("");
  if (const auto input = block->Object("input")) call.arguments = WriteJson(input->object());
  block->Ignore(kIgnoredOfCalls);
  block->Finish();
  calls->insert(call.id);
  MessageOf("assistant", chat).tool_calls.push_back(std::move(call));
}

void ReadThought(Fields* block, bool redacted, Chat* chat) {
  if (!redacted) {
    block->Require("thinking");
    MessageOf("assistant", chat).reasoning += block->Text("thinking").value_or("");
  }
  block->Ignore(kIgnoredOfThinking);
  block->Finish();
}

void ReadBlock(Fields* block, const std::string& role, CallIds* calls, Chat* chat) {
  block->Require("type");
  const std::string type = block->Text("type").value_or("");
  if (type == "text") {
    block->Require("text");
    AddText(role, block->Text("text").value_or(""), chat);
    block->Ignore(kIgnoredOfText);
    return block->Finish();
  }
  if (role == "user" && type == "tool_result") return ReadResult(block, *calls, chat);
  if (role == "assistant" && type == "tool_use") return ReadCall(block, calls, chat);
  if (role == "assistant" && (type == "thinking" || type == "redacted_thinking"))
    return ReadThought(block, type == "redacted_thinking", chat);
  block->Fail("type", "'" + type + "' is not supported in a message of the role " + role,
              "unsupported_value");
}

void ReadMessage(Fields* message, CallIds* calls, Chat* chat) {
  message->Require("role");
  message->Require("content");
  const std::string role = message->Word("role", kRoles).value_or("user");
  const Metadata* content = message->Any("content");
  if (content != nullptr && content->is_string()) {
    AddText(role, std::string(*content->string()), chat);
  } else {
    for (Fields& block : ObjectsOf(message, "content", 0, kMostBlocks))
      ReadBlock(&block, role, calls, chat);
  }
  message->Finish();
}

}  // namespace

void ReadAnthropicMessages(Fields* body, Chat* chat) {
  const std::string system = JoinedText(body, "system");
  if (!system.empty()) chat->messages.push_back({.role = "system", .text = system});
  body->Require("messages");
  CallIds calls;
  for (Fields& message : ObjectsOf(body, "messages", 1, kMostMessages))
    ReadMessage(&message, &calls, chat);
  if (chat->messages.empty()) return;
  const ChatMessage& last = chat->messages.back();
  chat->continue_last = last.role == "assistant" && last.tool_calls.empty();
}

}  // namespace hadal
