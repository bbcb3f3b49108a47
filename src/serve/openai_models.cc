// The models of this server as OpenAI, DeepSeek and Anthropic list them: /v1/models and /models.
#include "serve/json_writer.h"
#include "serve/ollama_time.h"
#include "serve/routes.h"

namespace hadal {
namespace {

void WriteModel(const ServedModel& model, Dialect dialect, JsonWriter* json) {
  json->BeginObject().Key("id").Text(model.name);
  if (dialect == Dialect::kAnthropic) {
    json->Key("type").Text("model").Key("display_name").Text(model.name);
    json->Key("created_at")
        .Text(Rfc3339(std::chrono::system_clock::from_time_t(model.created_seconds)))
        .EndObject();
    return;
  }
  json->Key("object").Text("model").Key("created").Integer(model.created_seconds);
  json->Key("owned_by").Text("hadal").Key("meta").BeginObject();
  const EngineInfo& info = model.engine->info();
  json->Key("n_vocab").Integer(info.vocabulary).Key("n_ctx_train").Integer(info.context_tokens);
  json->EndObject().EndObject();
}

void ListModels(const Service& service, Exchange& exchange) {
  const Dialect dialect = DialectOf(exchange.request());
  const std::vector<ServedModel> models = service.models();
  if (models.empty() && service.loading()) return SendError(LoadingError(), &exchange);
  JsonWriter json;
  json.BeginObject();
  if (dialect != Dialect::kAnthropic) json.Key("object").Text("list");
  json.Key("data").BeginArray();
  for (const ServedModel& model : models) WriteModel(model, dialect, &json);
  json.EndArray();
  if (dialect == Dialect::kAnthropic) {
    json.Key("has_more").Boolean(false);
    json.Key("first_id");
    models.empty() ? json.Null() : json.Text(models.front().name);
    json.Key("last_id");
    models.empty() ? json.Null() : json.Text(models.back().name);
  }
  exchange.Send(HttpResponse::Json(json.EndObject().Take()));
}

void ShowModel(const Service& service, Exchange& exchange) {
  const HttpRequest& request = exchange.request();
  auto model = service.FindModel(request.Parameter("id"));
  if (!model.ok()) return exchange.Send(ErrorResponse(model.error(), request));
  JsonWriter json;
  WriteModel(*model, DialectOf(request), &json);
  exchange.Send(HttpResponse::Json(json.Take()));
}

}  // namespace

void AddModelRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access access = Access::Key(Scope::kInfer);
  router->Add("GET", {"/v1/models", "/models", "/anthropic/v1/models"}, access,
              [service](const auto& exchange) { ListModels(*service, *exchange); });
  router->Add("GET", {"/v1/models/{id...}", "/models/{id...}", "/anthropic/v1/models/{id...}"},
              access, [service](const auto& exchange) { ShowModel(*service, *exchange); });
}

}  // namespace hadal
