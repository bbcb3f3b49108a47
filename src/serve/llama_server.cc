// What tools made for llama-server ask for: props, slots, tokenize, detokenize, apply-template,
// completion and infill.
#include <algorithm>

#include "serve/asked.h"
#include "serve/generation.h"
#include "serve/json_writer.h"
#include "serve/llama_completion.h"
#include "serve/model_description.h"
#include "serve/routes.h"

namespace hadal {
namespace {

using SharedExchange = std::shared_ptr<Exchange>;

void Fail(const SharedExchange& exchange, const ApiError& error) {
  SendError(error, exchange.get());
}

// Everything here speaks of text.
void WithAskedOfText(const std::shared_ptr<Service>& service, const SharedExchange& exchange,
                     std::function<void(Asked&)> then) {
  WithAsked(service, exchange, [exchange, then = std::move(then)](Asked& asked) {
    if (asked.ability.tokenizer == nullptr)
      return Fail(exchange,
                  InvalidField("model", "the model '" + asked.model.name + "' has no tokenizer"));
    then(asked);
  });
}

void Complete(const std::shared_ptr<Service>& service, const SharedExchange& exchange,
              bool infill) {
  WithAskedOfText(service, exchange, [service, exchange, infill](Asked& asked) {
    auto request = ReadLlamaRequest(asked.body, asked.ability, infill);
    if (!request.ok()) return Fail(exchange, request.error());
    auto writer = MakeLlamaAnswer(exchange, *request, asked.ability);
    RunCall(service, asked.model, std::move(request->call), exchange, std::move(writer));
  });
}

void Tokenize(const Asked& asked, const SharedExchange& exchange) {
  RequestReader reader;
  Fields body(asked.body.root(), "", &reader);
  body.Any("model");
  const std::string content = body.Text("content").value_or("");
  const bool add_special = body.Boolean("add_special").value_or(false);
  const bool parse_special = body.Boolean("parse_special").value_or(true);
  const bool with_pieces = body.Boolean("with_pieces").value_or(false);
  body.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  const Tokenizer& tokenizer = *asked.ability.tokenizer;
  auto ids = tokenizer.Encode(content, parse_special ? AddedTokenUse::kAll : AddedTokenUse::kNone);
  if (!ids.ok()) return Fail(exchange, ErrorOf(ids.status()));
  if (add_special && tokenizer.add_bos() && tokenizer.bos())
    ids->insert(ids->begin(), *tokenizer.bos());
  JsonWriter json;
  json.BeginObject().Key("tokens").BeginArray();
  for (const TokenId id : *ids) {
    if (with_pieces)
      json.BeginObject()
          .Key("id")
          .Integer(id)
          .Key("piece")
          .Text(tokenizer.TokenBytes(id))
          .EndObject();
    else
      json.Integer(id);
  }
  exchange->Send(HttpResponse::Json(json.EndArray().EndObject().Take()));
}

void Detokenize(const Asked& asked, const SharedExchange& exchange) {
  RequestReader reader;
  Fields body(asked.body.root(), "", &reader);
  body.Any("model");
  body.Require("tokens");
  std::vector<TokenId> ids;
  if (const auto items = body.Array("tokens", 0, kMostTokenIds))
    ids = ReadTokenIds(*items, "tokens", asked.ability, &reader);
  body.Finish();
  if (reader.failed()) return Fail(exchange, reader.error());
  JsonWriter json;
  json.BeginObject().Key("content").Text(asked.ability.tokenizer->Decode(ids)).EndObject();
  exchange->Send(HttpResponse::Json(json.Take()));
}

void ApplyTemplate(const Asked& asked, const SharedExchange& exchange) {
  if (!asked.ability.chats())
    return Fail(exchange, InvalidField("model", "no prompt format is known for this model"));
  auto conversation = ParseConversation(asked.body, "body");
  if (!conversation.ok()) return Fail(exchange, ErrorOf(conversation.status()));
  EncodeOptions options;
  options.tools_in_system = true;
  const auto prompt = EncodePrompt(*asked.ability.format, *conversation, options);
  if (!prompt.ok()) return Fail(exchange, InvalidField("messages", prompt.status().ToString()));
  JsonWriter json;
  json.BeginObject().Key("prompt").Text(prompt->text).EndObject();
  exchange->Send(HttpResponse::Json(json.Take()));
}

void Props(Service& service, const SharedExchange& exchange) {
  auto row = service.models().Find("");
  if (!row.ok()) return Fail(exchange, service.loading() ? LoadingError() : row.error());
  auto found = DescribeModel(*row, service.models().catalog());
  if (!found.ok()) return Fail(exchange, found.error());
  const ModelDescription& model = *found;
  const SamplingOptions& recommended = model.recommended;
  JsonWriter json;
  json.BeginObject().Key("default_generation_settings").BeginObject();
  json.Key("id").Integer(0).Key("n_ctx").Integer(model.context_tokens).Key("params").BeginObject();
  json.Key("temperature").Number(recommended.temperature);
  json.Key("top_k").Integer(recommended.top_k);
  json.Key("top_p").Number(recommended.top_p).EndObject().EndObject();
  json.Key("total_slots").Integer(service.limits().admission.most_calls);
  json.Key("model_alias").Text(row->name).Key("model_path").Text(row->path);
  json.Key("chat_template").Text(model.prompt_format);
  json.Key("chat_template_caps").BeginObject();
  json.Key("supports_tools").Boolean(model.ability.calls_tools());
  json.Key("supports_thinking").Boolean(model.ability.thinks()).EndObject();
  json.Key("modalities").BeginObject().Key("vision").Boolean(false);
  json.Key("audio").Boolean(false).EndObject();
  json.Key("build_info").Text("hadal").Key("is_sleeping").Boolean(row->engine == nullptr);
  exchange->Send(HttpResponse::Json(json.EndObject().Take()));
}

// One for each answer that runs or waits, and one that is free while there is room.
void Slots(Service& service, const SharedExchange& exchange) {
  const std::int64_t busy = service.admission().calls();
  const std::int64_t most = service.limits().admission.most_calls;
  if (busy >= most && exchange->request().query.find("fail_on_no_slot=1") != std::string::npos)
    return Fail(exchange, {.kind = ErrorKind::kOverloaded, .message = "no slot available"});
  auto model = service.models().Find("");
  const std::int64_t context =
      model.ok() && model->engine != nullptr ? model->engine->info().context_tokens : 0;
  JsonWriter json;
  json.BeginArray();
  for (std::int64_t id = 0; id < std::min(busy + 1, most); ++id) {
    json.BeginObject().Key("id").Integer(id).Key("is_processing").Boolean(id < busy);
    json.Key("n_ctx").Integer(context);
    json.EndObject();
  }
  exchange->Send(HttpResponse::Json(json.EndArray().Take()));
}

}  // namespace

void AddLlamaServerRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access infer = Access::Key(Scope::kInfer);
  router->Add({"GET", "/props", infer, [service](const auto& e) { Props(*service, e); }});
  router->Add({"GET", "/slots", infer, [service](const auto& e) { Slots(*service, e); }});
  using OfText = void (*)(const Asked&, const SharedExchange&);
  for (const auto& [path, answer] : {std::pair<const char*, OfText>{"/tokenize", Tokenize},
                                     {"/detokenize", Detokenize},
                                     {"/apply-template", ApplyTemplate}})
    router->Add({"POST", path, infer, [service, tell = answer](const auto& exchange) {
                   WithAskedOfText(service, exchange,
                                   [exchange, tell](Asked& asked) { tell(asked, exchange); });
                 }});
  router->Add(
      {"POST", "/completion", infer, [service](const auto& e) { Complete(service, e, false); }});
  router->Add({"POST", "/infill", infer, [service](const auto& e) { Complete(service, e, true); }});
}

}  // namespace hadal
