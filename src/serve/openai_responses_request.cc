#include "serve/openai_responses_request.h"

#include <algorithm>

#include "base/json.h"
#include "serve/field_lists.h"
#include "serve/json_writer.h"
#include "serve/number_limits.h"
#include "serve/openai_responses_items.h"
#include "serve/openai_tools.h"
#include "serve/random_id.h"

namespace hadal {
namespace {

constexpr std::string_view kIgnored[] = {"access_programs",
                                         "background_options",
                                         "context_management",
                                         "max_tool_calls",
                                         "metadata",
                                         "moderation",
                                         "prompt_cache_key",
                                         "prompt_cache_options",
                                         "prompt_cache_retention",
                                         "service_tier",
                                         "store"};
constexpr std::string_view kTruncations[] = {"auto", "disabled"};
constexpr std::string_view kToolChoices[] = {"none", "auto", "required"};
constexpr std::string_view kModes[] = {"auto", "required"};
constexpr std::string_view kVerbosities[] = {"low", "medium", "high"};
constexpr std::string_view kSummaries[] = {"auto", "concise", "detailed", "none"};

// What a response object repeats, with its value where the request says nothing. `store` is what
// this server does, whatever was asked.
constexpr std::pair<std::string_view, std::string_view> kSettings[] = {
    {"background", "false"},
    {"instructions", "null"},
    {"max_output_tokens", "null"},
    {"max_tool_calls", "null"},
    {"metadata", "{}"},
    {"parallel_tool_calls", "true"},
    {"previous_response_id", "null"},
    {"prompt_cache_key", "null"},
    {"reasoning", R"({"effort":null,"summary":null})"},
    {"safety_identifier", "null"},
    {"temperature", "1.0"},
    {"text", R"({"format":{"type":"text"}})"},
    {"tool_choice", R"("auto")"},
    {"tools", "[]"},
    {"top_logprobs", "0"},
    {"top_p", "1.0"},
    {"truncation", R"("disabled")"},
    {"user", "null"},
};

void CheckNothingStored(Fields* body) {
  if (body->Boolean("background").value_or(false))
    body->Fail("background", "is not supported: responses are not stored", "unsupported_value");
  if (body->Any("previous_response_id") != nullptr)
    body->Fail("previous_response_id", "is not known: responses are not stored; send the items",
               "previous_response_not_found");
  for (const char* key : {"conversation", "prompt"})
    if (body->Any(key) != nullptr)
      body->Fail(key, "is not supported: nothing is stored; send the items",
                 "unsupported_parameter");
}

void WriteTool(Fields* tool, JsonWriter* json) {
  tool->Require("type");
  if (const auto type = tool->Text("type"); type && *type != "function")
    return tool->Fail("type", "'" + *type + "' is not supported: this server has function tools",
                      "unsupported_value");
  tool->Require("name");
  WriteFunctionTool(tool, "parameters", json);
  tool->Finish();
}

void ReadTools(Fields* body, const ModelAbility& ability, const std::vector<std::string>& allowed,
               Chat* chat) {
  auto tools = ObjectsOf(body, "tools", 0, 128);
  if (tools.empty()) return;
  if (!ability.calls_tools())
    return body->Fail("tools", "are not known to this model", "unsupported_parameter");
  JsonWriter json;
  json.BeginArray();
  bool any = false;
  for (Fields& tool : tools) {
    const std::string name = tool.Text("name").value_or("");
    if (!allowed.empty() && std::ranges::find(allowed, name) == allowed.end()) continue;
    WriteTool(&tool, &json);
    any = true;
  }
  json.EndArray();
  if (any) chat->tools = json.Take();
}

// The names that {"type": "allowed_tools"} lets through; empty: all.
std::vector<std::string> ReadToolChoice(Fields* body, ToolChoice* out) {
  using Kind = ToolChoice::Kind;
  std::vector<std::string> allowed;
  const Metadata* value = body->Any("tool_choice");
  if (value == nullptr) return allowed;
  std::string mode;
  if (value->is_string()) {
    mode = body->Word("tool_choice", kToolChoices).value_or("auto");
  } else if (auto choice = body->Object("tool_choice")) {
    const std::string type = choice->Text("type").value_or("");
    if (type == "function") {
      choice->Require("name");
      out->kind = Kind::kNamed;
      out->name = choice->Text("name").value_or("");
    } else if (type == "allowed_tools") {
      mode = choice->Word("mode", kModes).value_or("auto");
      for (Fields& tool : ObjectsOf(&*choice, "tools", 1, 128)) {
        tool.Require("name");
        allowed.push_back(tool.Text("name").value_or(""));
      }
    } else {
      choice->Fail("type", "must be function or allowed_tools", "unsupported_value");
    }
    choice->Finish();
  }
  if (mode == "none") out->kind = Kind::kNone;
  if (mode == "required") out->kind = Kind::kRequired;
  return allowed;
}

void ReadText(Fields* body, GenerateRequest* request) {
  auto text = body->Object("text");
  if (!text) return;
  text->Word("verbosity", kVerbosities);
  if (auto format = text->Object("format")) {
    const std::string type = format->Text("type").value_or("");
    if (type == "json_object") request->form = AnswerForm::kJson;
    if (type == "json_schema") {
      format->Require("name");
      format->Require("schema");
      request->form = AnswerForm::kSchema;
      if (const auto schema = format->Object("schema"))
        request->schema = WriteJson(schema->object());
    }
    if (type != "text" && type != "json_object" && type != "json_schema")
      format->Fail("type", "must be text, json_object or json_schema", "invalid_value");
    constexpr std::string_view kRest[] = {"name", "description", "strict"};
    format->Ignore(kRest);
    format->Finish();
  }
  text->Finish();
}

void ReadReasoning(Fields* body, const ModelAbility& ability, Chat* chat) {
  auto reasoning = body->Object("reasoning");
  if (!reasoning) return;
  if (const auto effort = reasoning->Text("effort"))
    if (ability.thinks() || *effort != "none")
      SetEffort(&*reasoning, "effort", *effort, ability, chat);
  reasoning->Word("summary", kSummaries);
  reasoning->Word("generate_summary", kSummaries);
  constexpr std::string_view kRest[] = {"mode", "context"};
  reasoning->Ignore(kRest);
  reasoning->Finish();
}

void ReadSampling(Fields* body, SamplingOptions* sampling) {
  ReadNumber(body, "temperature", &sampling->temperature);
  ReadNumber(body, "top_p", &sampling->top_p);
  sampling->seed = RandomSeed();
  const auto top = ReadInteger(body, "top_logprobs");
  const auto include = TextsOf(body, "include", 0, 64);
  const bool wanted = std::ranges::find(include, "message.output_text.logprobs") != include.end();
  if (wanted || top.value_or(0) > 0)
    sampling->log_probabilities = static_cast<std::int32_t>(top.value_or(0));
}

}  // namespace

ApiResult<ResponsesRequest> ReadResponsesRequest(const MetadataDocument& document,
                                                 const ModelAbility& ability) {
  RequestReader reader;
  Fields body(document.root(), "", &reader);
  ResponsesRequest out;
  Call& call = out.call;
  body.Require("model");
  body.Text("model");
  call.stream = body.Boolean("stream").value_or(false);
  if (auto options = body.Object("stream_options")) {
    options->Boolean("include_obfuscation");
    options->Finish();
  }
  CheckNothingStored(&body);
  Chat chat;
  ReadResponsesInput(&body, &chat);
  const auto allowed = ReadToolChoice(&body, &call.request.tool_choice);
  ReadTools(&body, ability, allowed, &chat);
  if (chat.tools.empty() && (call.request.tool_choice.kind == ToolChoice::Kind::kRequired ||
                             call.request.tool_choice.kind == ToolChoice::Kind::kNamed))
    body.Fail("tool_choice", "asks for a call, and there are no tools", "invalid_value");
  call.request.tool_choice.parallel = body.Boolean("parallel_tool_calls").value_or(true);
  ReadText(&body, &call.request);
  ReadReasoning(&body, ability, &chat);
  ReadSampling(&body, &call.request.sampling);
  call.request.max_tokens = ReadInteger(&body, "max_output_tokens").value_or(0);
  body.Word("truncation", kTruncations);  // "auto" allows to cut; nothing is ever cut here
  call.cache_salt = body.Text("safety_identifier").value_or(body.Text("user").value_or(""));
  body.Any("user");
  body.Ignore(kIgnored);
  body.Finish();
  if (reader.failed()) return reader.error();
  for (const auto& [name, value] : kSettings) {
    const Metadata* given = document.root().FindNonNull(name);
    out.settings.emplace_back(name, given != nullptr ? WriteJson(*given) : std::string(value));
  }
  call.request.prompt = std::move(chat);
  return out;
}

}  // namespace hadal
