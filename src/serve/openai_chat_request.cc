#include "serve/openai_chat_request.h"

#include <algorithm>

#include "base/json.h"
#include "serve/field_lists.h"
#include "serve/number_limits.h"
#include "serve/openai_chat_messages.h"
#include "serve/openai_sampling.h"
#include "serve/openai_tools.h"
#include "serve/sampling_fields.h"

namespace hadal {
namespace {

// Accepted, and nothing changes by them on this server.
constexpr std::string_view kIgnored[] = {"moderation",
                                         "metadata",
                                         "prediction",
                                         "prompt_cache_key",
                                         "prompt_cache_options",
                                         "prompt_cache_retention",
                                         "service_tier",
                                         "store",
                                         "verbosity",
                                         "web_search_options",
                                         "cache_prompt",
                                         "keep_alive"};
constexpr std::string_view kThinkingTypes[] = {"enabled", "disabled", "adaptive"};
constexpr std::string_view kFormats[] = {"text", "json_object", "json_schema"};

// The schema of {"type": "json_schema"}, and where llama.cpp's server takes it.
void ReadFormat(Fields* body, GenerateRequest* request) {
  auto format = body->Object("response_format");
  if (!format) return;
  format->Require("type");
  const std::string type = format->Word("type", kFormats).value_or("text");
  if (type == "json_object") request->form = AnswerForm::kJson;
  auto schema = format->Object("schema");
  if (auto named = format->Object("json_schema")) {
    named->Require("name");
    named->Text("name");
    named->Text("description");
    named->Boolean("strict");
    schema = named->Object("schema");
    named->Finish();
  } else if (type == "json_schema" && !schema) {
    format->Require("json_schema");
  }
  if (schema && type != "text") {
    request->form = AnswerForm::kSchema;
    request->schema = WriteJson(schema->object());
  } else if (type == "json_schema") {
    request->form = AnswerForm::kJson;  // a schema that says nothing
  }
  format->Finish();
}

void ReadThinking(Fields* body, const ModelAbility& ability, Call* call, Chat* chat) {
  if (auto thinking = body->Object("thinking")) {
    const auto type = thinking->Word("type", kThinkingTypes);
    if (const auto budget = ReadInteger(&*thinking, "budget_tokens"))
      call->request.reasoning_tokens = *budget;
    thinking->Finish();
    // To a model that does not think, neither word changes anything.
    if (type && ability.thinks()) SetThinking(body, "thinking", *type != "disabled", ability, chat);
  }
  if (auto arguments = body->Object("chat_template_kwargs")) {
    for (const char* key : {"enable_thinking", "thinking"})
      if (const auto on = arguments->Boolean(key); on && (ability.thinks() || *on))
        SetThinking(&*arguments, key, *on, ability, chat);
    arguments->Finish();
  }
  const auto effort = body->Word("reasoning_effort", kEfforts);
  if (effort && ability.thinks() && chat->think != ThinkMode::kOff)
    SetEffort(body, "reasoning_effort", *effort, ability, chat);
}

void RefuseSound(Fields* body) {
  if (body->Any("audio") != nullptr)
    body->Fail("audio", "is not supported: this server answers in text", "unsupported_value");
  for (const std::string& modality : TextsOf(body, "modalities", 0, 8))
    if (modality != "text")
      body->Fail("modalities", "'" + modality + "' is not supported: this server answers in text",
                 "unsupported_value");
}

}  // namespace

ApiResult<Call> ReadChatRequest(const MetadataDocument& document, const ModelAbility& ability,
                                const EngineInfo& info) {
  RequestReader reader;
  Fields body(document.root(), "", &reader);
  Call call;
  GenerateRequest& request = call.request;
  request.sampling = info.recommended;
  body.Require("model");
  body.Text("model");
  ReadOpenAiDelivery(&body, &call);
  Chat chat;
  ReadChatMessages(&body, &chat);
  ReadTools(&body, ability, &chat, &request.tool_choice);
  ReadThinking(&body, ability, &call, &chat);
  ReadFormat(&body, &request);
  ReadOpenAiSampling(&body, ability, &request);
  ReadLogProbabilities(&body, &request.sampling);
  const auto most = ReadInteger(&body, "max_completion_tokens");
  const auto older = ReadInteger(&body, "max_tokens");
  if (older && *older == 0) body.Fail("max_tokens", "must be at least 1");
  request.max_tokens = std::min(most.value_or(older.value_or(0)), older.value_or(most.value_or(0)));
  if (chat.continue_last && request.form != AnswerForm::kFree)
    body.Fail("response_format", "cannot be held to where the answer's beginning is given");
  RefuseSound(&body);
  body.Ignore(kIgnored);
  body.Finish();
  if (reader.failed()) return reader.error();
  request.prompt = std::move(chat);
  return call;
}

}  // namespace hadal
