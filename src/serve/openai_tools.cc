#include "serve/openai_tools.h"

#include <algorithm>
#include <set>

#include "serve/field_lists.h"
#include "serve/json_writer.h"

namespace hadal {
namespace {

constexpr std::size_t kMostTools = 128;
constexpr std::size_t kMostNameBytes = 64;
constexpr std::string_view kChoices[] = {"none", "auto", "required"};
constexpr std::string_view kModes[] = {"auto", "required"};

bool IsToolName(std::string_view name) {
  return !name.empty() && name.size() <= kMostNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

// The definitions of a request, in the order and the form in which they came.
class Definitions {
 public:
  void Add(Fields* function) {
    function->Require("name");
    const std::string name = function->Text("name").value_or("");
    if (!IsToolName(name))
      function->Fail("name", "must be 1 to 64 letters, digits, _ and -", "invalid_value");
    if (!names_.insert(name).second)
      function->Fail("name", "is that of an earlier tool", "invalid_value");
    JsonWriter json;
    WriteFunctionTool(function, "parameters", &json);
    function->Finish();
    tools_.emplace_back(name, json.Take());
  }
  bool Has(const std::string& name) const { return names_.contains(name); }
  bool empty() const { return tools_.empty(); }
  // Those of these names; all where there are none.
  std::string Json(const std::set<std::string>& only) const {
    JsonWriter json;
    json.BeginArray();
    for (const auto& [name, text] : tools_)
      if (only.empty() || only.contains(name)) json.Raw(text);
    return json.EndArray().Take();
  }

 private:
  std::vector<std::pair<std::string, std::string>> tools_;
  std::set<std::string> names_;
};

void ReadDefinitions(Fields* body, Definitions* out) {
  for (Fields& tool : ObjectsOf(body, "tools", 0, kMostTools)) {
    const std::string type = tool.Text("type").value_or("function");
    if (type != "function") {
      tool.Fail("type", "'" + type + "' is not supported: this server has function tools",
                "unsupported_value");
      return;
    }
    tool.Require("function");
    if (auto function = tool.Object("function")) out->Add(&*function);
    tool.Finish();
  }
  for (Fields& function : ObjectsOf(body, "functions", 0, kMostTools)) out->Add(&function);
}

void SetMode(const std::string& mode, ToolChoice* choice) {
  if (mode == "none") choice->kind = ToolChoice::Kind::kNone;
  if (mode == "required") choice->kind = ToolChoice::Kind::kRequired;
}

void Name(Fields* named, const Definitions& tools, ToolChoice* choice) {
  named->Require("name");
  choice->kind = ToolChoice::Kind::kNamed;
  choice->name = named->Text("name").value_or("");
  if (!tools.Has(choice->name))
    named->Fail("name", "names no tool of this request", "invalid_value");
  named->Finish();
}

void ReadAllowed(Fields* allowed, const Definitions& tools, ToolChoice* choice,
                 std::set<std::string>* only) {
  allowed->Require("mode");
  SetMode(allowed->Word("mode", kModes).value_or("auto"), choice);
  for (Fields& tool : ObjectsOf(allowed, "tools", 1, kMostTools)) {
    tool.Any("type");
    tool.Require("function");
    auto function = tool.Object("function");
    if (!function) continue;
    ToolChoice named;
    Name(&*function, tools, &named);
    only->insert(named.name);
    tool.Finish();
  }
  allowed->Finish();
}

void ReadChoice(Fields* body, std::string_view key, const Definitions& tools, ToolChoice* choice,
                std::set<std::string>* only) {
  const Metadata* value = body->Any(key);
  if (value == nullptr) return;
  if (!value->is_object()) return SetMode(body->Word(key, kChoices).value_or("auto"), choice);
  auto object = body->Object(key);
  const std::string type = object->Text("type").value_or("function");
  if (key == "function_call") return Name(&*object, tools, choice);
  if (type == "allowed_tools") {
    object->Require("allowed_tools");
    if (auto allowed = object->Object("allowed_tools")) ReadAllowed(&*allowed, tools, choice, only);
  } else if (type == "function") {
    object->Require("function");
    if (auto function = object->Object("function")) Name(&*function, tools, choice);
  } else {
    object->Fail("type", "must be function or allowed_tools", "unsupported_value");
  }
  object->Finish();
}

}  // namespace

void ReadTools(Fields* body, const ModelAbility& ability, Chat* chat, ToolChoice* choice) {
  Definitions tools;
  ReadDefinitions(body, &tools);
  std::set<std::string> only;
  ReadChoice(body, "tool_choice", tools, choice, &only);
  ReadChoice(body, "function_call", tools, choice, &only);
  choice->parallel = body->Boolean("parallel_tool_calls").value_or(true);
  if (tools.empty()) {
    if (choice->kind == ToolChoice::Kind::kRequired)
      body->Fail("tool_choice", "asks for a call, and there are no tools", "invalid_value");
    *choice = {};
    return;
  }
  if (!ability.calls_tools())
    return body->Fail("tools", "are not known to this model", "unsupported_parameter");
  chat->tools = tools.Json(only);
}

std::optional<ApiError> CheckStrictTools(const Metadata& body) {
  const Metadata* tools = body.FindNonNull("tools");
  if (tools == nullptr || !tools->is_array()) return std::nullopt;
  std::size_t strict = 0;
  for (const Metadata& tool : tools->items()) {
    const Metadata* function = tool.FindNonNull("function");
    const Metadata* said = function == nullptr ? nullptr : function->FindNonNull("strict");
    if (said != nullptr && said->boolean() == true) ++strict;
  }
  if (strict == 0 || strict == tools->items().size()) return std::nullopt;
  return InvalidField("tools", "are strict in part: here all functions are, or none",
                      "invalid_value");
}

void WriteFunctionTool(Fields* function, std::string_view schema_key, JsonWriter* json) {
  json->BeginObject().Key("type").Text("function").Key("function").BeginObject();
  json->Key("name").Text(function->Text("name").value_or(""));
  if (const auto description = function->Text("description"))
    json->Key("description").Text(*description);
  if (const auto schema = function->Object(schema_key))
    json->Key("parameters").Value(schema->object());
  if (const auto strict = function->Boolean("strict")) json->Key("strict").Boolean(*strict);
  json->EndObject().EndObject();
}

}  // namespace hadal
