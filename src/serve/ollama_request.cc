#include "serve/ollama_request.h"

#include "base/json.h"
#include "serve/field_lists.h"
#include "serve/number_limits.h"
#include "serve/ollama_messages.h"
#include "serve/ollama_time.h"
#include "serve/random_id.h"
#include "serve/sampling_fields.h"

namespace hadal {
namespace {

// Where the machine and the server decide; they are accepted as the rows of a loaded model are.
constexpr std::string_view kIgnoredOptions[] = {
    "num_keep",       "num_ctx",          "num_batch",        "num_gpu",
    "main_gpu",       "use_mmap",         "num_thread",       "numa",
    "low_vram",       "f16_kv",           "vocab_only",       "use_mlock",
    "embedding_only", "logits_all",       "penalize_newline", "mirostat_tau",
    "mirostat_eta",   "draft_num_predict"};

// An option that changes how tokens are chosen in a way that this engine has not.
void RefuseUnless(Fields* options, std::string_view key, double neutral) {
  const auto value = ReadNumber(options, key);
  if (value && *value != neutral)
    options->Fail(key, "is not supported; leave it out", "unsupported_parameter");
}

// The engine's repetition penalty looks at the whole text.
void ReadRepetition(Fields* options, SamplingOptions* sampling) {
  ReadNumber(options, "repeat_penalty", &sampling->repetition_penalty);
  const auto last = ReadInteger(options, "repeat_last_n");
  if (last == 0) sampling->repetition_penalty = 1.0f;
  if (last && *last > 0 && sampling->repetition_penalty != 1.0f)
    options->Fail("repeat_last_n", "is not supported beside repeat_penalty; -1 is the whole text",
                  "unsupported_parameter");
}

void ReadOptions(Fields* body, GenerateRequest* request) {
  SamplingOptions& sampling = request->sampling;
  sampling.temperature = 0.8f;
  sampling.top_k = 40;
  sampling.top_p = 0.9f;
  sampling.seed = RandomSeed();
  auto options = body->Object("options");
  if (!options) return;
  ReadSamplingNumbers(&*options, &sampling);
  ReadRepetition(&*options, &sampling);
  if (const auto seed = ReadInteger(&*options, "seed"); seed && *seed != -1)
    sampling.seed = static_cast<std::uint64_t>(*seed);
  if (const auto most = ReadInteger(&*options, "num_predict"))
    request->max_tokens = std::max<std::int64_t>(0, *most);
  request->stops = StopsOf(&*options, "stop");
  RefuseUnless(&*options, "typical_p", 1);
  RefuseUnless(&*options, "tfs_z", 1);
  RefuseUnless(&*options, "mirostat", 0);
  options->Ignore(kIgnoredOptions);
  // Unknown options are passed over, as Ollama does (it writes a line to its log).
}

// "json" or a schema.
void ReadFormat(Fields* body, GenerateRequest* request) {
  const Metadata* format = body->Any("format");
  if (format == nullptr) return;
  if (format->is_object()) {
    request->form = AnswerForm::kSchema;
    request->schema = WriteJson(*format);
  } else if (format->string() == "json") {
    request->form = AnswerForm::kJson;
  } else if (format->string() != "") {
    body->Fail("format", "must be \"json\" or a JSON schema, not " + format->Describe(),
               "invalid_value");
  }
}

void ReadThink(Fields* body, const std::string& model, const ModelAbility& ability, Chat* chat) {
  const Metadata* think = body->Any("think");
  if (think == nullptr) return;
  const bool off = think->is_bool() && !*think->boolean();
  if (!off && !ability.thinks())
    return body->reader()->Fail(
        InvalidField("think", "\"" + model + "\" does not support thinking"));
  if (think->is_bool()) return SetThinking(body, "think", *think->boolean(), ability, chat);
  if (!think->is_string() || *think->string() == "none")
    return body->Fail("think", "must be true, false, low, medium, high or max", "invalid_value");
  SetEffort(body, "think", *think->string(), ability, chat);
}

// What chat and generate share. The messages are there already.
void ReadShared(Fields* body, const std::string& model, const ModelAbility& ability, Chat* chat,
                OllamaRequest* out) {
  for (const char* key : {"model", "name", "keep_alive"}) body->Any(key);  // read before
  out->call.stream = body->Boolean("stream").value_or(true);
  ReadOptions(body, &out->call.request);
  ReadFormat(body, &out->call.request);
  ReadThink(body, model, ability, chat);
  ReadLogProbabilities(body, &out->call.request.sampling);
  constexpr std::string_view kIgnored[] = {"truncate", "shift"};  // nothing is ever cut off here
  body->Ignore(kIgnored);
}

// The forms of a prompt that are no chat. True where the request is one of them.
bool ReadPlainPrompt(Fields* body, const std::string& model, const ModelAbility& ability,
                     const std::string& prompt, OllamaRequest* out) {
  const std::string suffix = body->Text("suffix").value_or("");
  const bool raw = body->Boolean("raw").value_or(false);
  if (!suffix.empty()) {
    if (!ability.fills_in())
      body->reader()->Fail(InvalidField("suffix", "\"" + model + "\" does not support insert"));
    out->call.request.prompt = FillIn{prompt, suffix};
    return true;
  }
  if (!raw) return false;
  for (const char* key : {"system", "template", "context"})
    if (body->Any(key) != nullptr)
      body->reader()->Fail(
          InvalidField(key, "raw mode does not support template, system, or context"));
  out->call.request.prompt = RawText{prompt};
  return true;
}

}  // namespace

ApiResult<MetadataDocument> ParseOllamaBody(const HttpRequest& request) {
  if (request.body.empty()) return InvalidField("", "missing request body");
  const bool browser = request.headers.Has("Origin") || request.headers.Has("Sec-Fetch-Site");
  if (browser) return ParseRequest(request);
  auto document = ParseStrictJson(request.body, "body");
  if (document.ok() && !document->root().is_object())
    return InvalidField("", "the body must be a JSON object");
  return document;
}

ApiResult<std::string> OllamaModelName(const Metadata& body) {
  const Metadata* name = body.FindNonNull("model");
  if (name == nullptr) name = body.FindNonNull("name");
  std::string text(name == nullptr ? "" : name->string().value_or(""));
  if (text.empty()) return InvalidField("model", "model is required");
  return text;
}

bool AsksNothing(const Metadata& body, bool chat) {
  const auto empty = [&body](const char* key) {
    const Metadata* value = body.FindNonNull(key);
    return value == nullptr || value->string() == "" ||
           (value->is_array() && value->items().empty());
  };
  return chat ? empty("messages") : empty("prompt") && empty("suffix");
}

ApiResult<OllamaRequest> ReadOllamaChat(const Metadata& root, const std::string& model,
                                        const ModelAbility& ability) {
  RequestReader reader;
  Fields body(root, "", &reader);
  OllamaRequest out;
  Chat chat;
  ReadOllamaMessages(&body, &chat);
  ReadOllamaTools(&body, model, ability, &chat);
  ReadShared(&body, model, ability, &chat, &out);
  body.Finish();
  if (reader.failed()) return reader.error();
  out.load_only = chat.messages.empty();
  out.call.request.prompt = std::move(chat);
  return out;
}

ApiResult<OllamaRequest> ReadOllamaGenerate(const Metadata& root, const std::string& model,
                                            const ModelAbility& ability) {
  RequestReader reader;
  Fields body(root, "", &reader);
  OllamaRequest out;
  Chat chat;
  const std::string prompt = body.Text("prompt").value_or("");
  const bool plain = ReadPlainPrompt(&body, model, ability, prompt, &out);
  if (!plain) {
    if (const auto system = body.Text("system"); system && !system->empty())
      chat.messages.push_back({.role = "system", .text = *system});
    if (!body.Text("template").value_or("").empty())
      body.Fail("template", "is not supported; send raw: true with the whole prompt",
                "unsupported_parameter");
    const auto context = body.Array("context", 0, 1U << 20);
    if (context && !context->empty())
      body.Fail("context", "is not supported; /api/chat keeps a conversation",
                "unsupported_parameter");
    chat.messages.push_back({.role = "user", .text = prompt});
  }
  ReadShared(&body, model, ability, &chat, &out);
  RefuseImages(&body);
  body.Finish();
  if (reader.failed()) return reader.error();
  out.load_only = prompt.empty() && !std::holds_alternative<FillIn>(out.call.request.prompt);
  if (!plain) out.call.request.prompt = std::move(chat);
  return out;
}

}  // namespace hadal
