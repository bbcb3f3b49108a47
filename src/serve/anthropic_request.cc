#include "serve/anthropic_request.h"

#include "base/json.h"
#include "serve/anthropic_blocks.h"
#include "serve/field_lists.h"
#include "serve/json_writer.h"
#include "serve/number_limits.h"
#include "serve/openai_tools.h"
#include "serve/random_id.h"
#include "serve/sampling_fields.h"

namespace hadal {
namespace {

constexpr std::size_t kMostTools = 128;

constexpr std::string_view kIgnored[] = {
    "service_tier", "cache_control", "container", "inference_geo",      "speed",
    "diagnostics",  "mcp_servers",   "fallbacks", "context_management", "betas"};
constexpr std::string_view kIgnoredOfTools[] = {
    "cache_control", "eager_input_streaming", "input_examples", "defer_loading", "allowed_callers"};
constexpr std::string_view kThinkingTypes[] = {"enabled", "adaptive", "disabled", "between_tools"};
constexpr std::string_view kDisplays[] = {"summarized", "omitted"};
constexpr std::string_view kChoiceTypes[] = {"auto", "any", "tool", "none"};
constexpr std::string_view kFormats[] = {"json_schema"};
constexpr std::string_view kToolTypes[] = {"custom"};

// Off unless asked for (shared reference G3), where the model can leave it.
void ReadThinking(Fields* body, const ModelAbility& ability, AnthropicRequest* out, Chat* chat) {
  if (ability.thinks() && !ability.always_thinks()) chat->think = ThinkMode::kOff;
  auto thinking = body->Object("thinking");
  if (!thinking) return;
  thinking->Require("type");
  const std::string type = thinking->Word("type", kThinkingTypes).value_or("disabled");
  if (type != "disabled" || ability.thinks())
    SetThinking(&*thinking, "type", type != "disabled", ability, chat);
  if (type == "enabled") {
    thinking->Require("budget_tokens");
    const auto budget = ReadInteger(&*thinking, "budget_tokens");
    if (budget && out->call.request.max_tokens > 0 && *budget >= out->call.request.max_tokens)
      thinking->Fail("budget_tokens", "must be less than max_tokens", "invalid_value");
    out->call.request.reasoning_tokens = budget.value_or(-1);
  }
  out->shows_thinking = thinking->Word("display", kDisplays) != "omitted";
  thinking->Finish();
}

void ReadOutputConfig(Fields* body, const ModelAbility& ability, GenerateRequest* request,
                      Chat* chat) {
  auto config = body->Object("output_config");
  if (!config) return;
  if (const auto effort = config->Text("effort")) {
    // Turned off in so many words, it stays off.
    const Metadata* thinking = body->object().FindNonNull("thinking");
    const bool off = thinking != nullptr && chat->think == ThinkMode::kOff;
    if (!off) SetEffort(&*config, "effort", *effort, ability, chat);
  }
  if (auto format = config->Object("format")) {
    format->Require("type");
    format->Require("schema");
    format->Word("type", kFormats);
    if (const auto schema = format->Object("schema")) {
      request->form = AnswerForm::kSchema;
      request->schema = WriteJson(schema->object());
    }
    format->Finish();
  }
  config->Finish();
}

void WriteTool(Fields* tool, JsonWriter* json) {
  tool->Require("name");
  tool->Require("input_schema");
  if (const auto type = tool->Text("type"); type && *type != kToolTypes[0])
    tool->Fail(
        "type",
        "names a tool that runs on Anthropic's servers (" + *type + "); this server has none",
        "unsupported_value");
  WriteFunctionTool(tool, "input_schema", json);
  tool->Ignore(kIgnoredOfTools);
  tool->Finish();
}

void ReadTools(Fields* body, const ModelAbility& ability, Chat* chat) {
  auto tools = ObjectsOf(body, "tools", 0, kMostTools);
  if (tools.empty()) return;
  if (!ability.calls_tools())
    return body->Fail("tools", "are not known to this model", "unsupported_parameter");
  JsonWriter json;
  json.BeginArray();
  for (Fields& tool : tools) WriteTool(&tool, &json);
  chat->tools = json.EndArray().Take();
}

void ReadToolChoice(Fields* body, const Chat& chat, ToolChoice* out) {
  auto choice = body->Object("tool_choice");
  if (!choice) return;
  choice->Require("type");
  const std::string type = choice->Word("type", kChoiceTypes).value_or("auto");
  if (type == "any") out->kind = ToolChoice::Kind::kRequired;
  if (type == "none") out->kind = ToolChoice::Kind::kNone;
  if (type == "tool") {
    choice->Require("name");
    out->kind = ToolChoice::Kind::kNamed;
    out->name = choice->Text("name").value_or("");
  }
  if ((type == "any" || type == "tool") && chat.tools.empty())
    choice->Fail("type", "asks for a call, and there are no tools", "invalid_value");
  out->parallel = !choice->Boolean("disable_parallel_tool_use").value_or(false);
  choice->Finish();
}

void ReadSampling(Fields* body, SamplingOptions* sampling) {
  ReadNumber(body, "temperature", &sampling->temperature);
  ReadNumber(body, "top_p", &sampling->top_p);
  ReadTopK(body, sampling);
  sampling->seed = RandomSeed();
}

void ReadMetadata(Fields* body, Call* call) {
  auto metadata = body->Object("metadata");
  if (!metadata) return;
  call->cache_salt = metadata->Text("user_id").value_or("");
  metadata->Finish();
}

}  // namespace

ApiResult<AnthropicRequest> ReadAnthropicRequest(const MetadataDocument& document,
                                                 const ModelAbility& ability, bool counting) {
  RequestReader reader;
  Fields body(document.root(), "", &reader);
  AnthropicRequest out;
  Call& call = out.call;
  body.Require("model");
  body.Text("model");
  if (!counting) body.Require("max_tokens");
  if (const auto most = ReadInteger(&body, "max_tokens")) {
    if (*most == 0) body.Fail("max_tokens", "must be at least 1", "integer_below_min_value");
    call.request.max_tokens = *most;
  }
  call.stream = body.Boolean("stream").value_or(false);

  Chat chat;
  ReadAnthropicMessages(&body, &chat);
  ReadThinking(&body, ability, &out, &chat);
  ReadOutputConfig(&body, ability, &call.request, &chat);
  ReadTools(&body, ability, &chat);
  ReadToolChoice(&body, chat, &call.request.tool_choice);
  ReadSampling(&body, &call.request.sampling);
  ReadMetadata(&body, &call);
  call.request.stops = StopsOf(&body, "stop_sequences");
  body.Ignore(kIgnored);
  body.Finish();
  if (reader.failed()) return reader.error();
  call.request.prompt = std::move(chat);
  return out;
}

}  // namespace hadal
