#include "serve/ollama_messages.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/json.h"
#include "serve/field_lists.h"

namespace hadal {
namespace {

constexpr std::size_t kMostMessages = 4096;
constexpr std::size_t kMostCalls = 128;
constexpr std::string_view kRoles[] = {"system", "user", "assistant", "tool"};

std::string Lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// The calls of a conversation and which of them have no result yet. What has one keeps it, so every
// call is passed over once.
class OpenCalls {
 public:
  std::size_t count() const { return count_; }
  void Add(const ChatToolCall& call) {
    ++count_;
    all_.push_back(call.id);
    of_tool_[call.name].push_back(call.id);
  }
  void Answer(const std::string& id) { answered_.insert(id); }
  // The call that a result without an id belongs to; empty where every call has its result.
  std::string First(const std::string& tool) {
    const auto own = of_tool_.find(tool);
    std::string id = own == of_tool_.end() ? "" : First(&own->second);
    return id.empty() ? First(&all_) : id;
  }

 private:
  std::string First(std::deque<std::string>* ids) const {
    while (!ids->empty() && answered_.contains(ids->front())) ids->pop_front();
    return ids->empty() ? "" : ids->front();
  }

  std::size_t count_ = 0;
  std::deque<std::string> all_;
  std::map<std::string, std::deque<std::string>> of_tool_;
  std::set<std::string> answered_ = {""};
};

void ReadCalls(Fields* message, std::size_t known, ChatMessage* out) {
  for (Fields& item : ObjectsOf(message, "tool_calls", 0, kMostCalls)) {
    ChatToolCall call;
    call.id = item.Text("id").value_or("call_" + std::to_string(known + out->tool_calls.size()));
    item.Require("function");
    if (auto function = item.Object("function")) {
      function->Require("name");
      call.name = function->Text("name").value_or("");
      call.arguments = "{}";
      if (const auto arguments = function->Object("arguments"))
        call.arguments = WriteJson(arguments->object());
      constexpr std::string_view kIgnored[] = {"index", "description"};
      function->Ignore(kIgnored);
      function->Finish();
    }
    constexpr std::string_view kIgnored[] = {"type"};
    item.Ignore(kIgnored);
    item.Finish();
    out->tool_calls.push_back(std::move(call));
  }
}

void ReadMessage(Fields* message, OpenCalls* calls, Chat* chat) {
  message->Require("role");
  ChatMessage out;
  out.role = Lowered(message->Text("role").value_or("user"));
  if (std::ranges::find(kRoles, out.role) == std::end(kRoles))
    message->Fail("role", "must be system, user, assistant or tool", "invalid_value");
  out.text = message->Text("content").value_or("");
  out.reasoning = message->Text("thinking").value_or("");
  ReadCalls(message, calls->count(), &out);
  const std::string tool = message->Text("tool_name").value_or(message->Text("name").value_or(""));
  out.tool_call_id = message->Text("tool_call_id").value_or("");
  if (out.role == "tool" && out.tool_call_id.empty()) out.tool_call_id = calls->First(tool);
  calls->Answer(out.tool_call_id);
  for (const ChatToolCall& call : out.tool_calls) calls->Add(call);
  out.name = out.role == "tool" ? tool : "";
  RefuseImages(message);
  message->Finish();
  chat->messages.push_back(std::move(out));
}

}  // namespace

void ReadOllamaMessages(Fields* body, Chat* chat) {
  OpenCalls calls;
  for (Fields& message : ObjectsOf(body, "messages", 0, kMostMessages))
    ReadMessage(&message, &calls, chat);
  if (chat->messages.empty()) return;
  const ChatMessage& last = chat->messages.back();
  chat->continue_last = last.role == "assistant" && last.tool_calls.empty();
}

void ReadOllamaTools(Fields* body, const std::string& model, const ModelAbility& ability,
                     Chat* chat) {
  const auto tools = ObjectsOf(body, "tools", 0, 128);
  if (tools.empty()) return;
  if (!ability.calls_tools())
    return body->reader()->Fail(InvalidField("tools", "\"" + model + "\" does not support tools"));
  for (Fields tool : tools) {
    tool.Require("function");
    if (auto function = tool.Object("function")) function->Require("name");
  }
  chat->tools = WriteJson(*body->Any("tools"));
}

void RefuseImages(Fields* fields) {
  const auto images = fields->Array("images", 0, 64);
  if (images && !images->empty())
    fields->Fail("images", "are not supported: this model reads text", "unsupported_parameter");
}

}  // namespace hadal
