// The models of this server as OpenAI, DeepSeek and Anthropic list them: /v1/models and /models.
#include "serve/json_writer.h"
#include "serve/model_description.h"
#include "serve/ollama_time.h"
#include "serve/routes.h"

namespace hadal {
namespace {

// In llama-server's words.
const char* StateOf(const ModelPool::Row& model) {
  if (model.engine != nullptr) return "loaded";
  return model.loading ? "loading" : "unloaded";
}

void WriteModel(const ModelPool::Row& model, ModelCatalog& catalog, Dialect dialect,
                JsonWriter* json) {
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
  const ModelSummary summary = Summarize(model, catalog);
  json->Key("n_vocab").Integer(summary.vocabulary);
  json->Key("n_ctx_train").Integer(summary.context_tokens).EndObject();
  json->Key("status").BeginObject().Key("value").Text(StateOf(model)).EndObject().EndObject();
}

void ListModels(const Service& service, Exchange& exchange) {
  const Dialect dialect = DialectOf(exchange.request());
  const std::vector<ModelPool::Row> models = service.models().Rows();
  if (models.empty() && service.loading()) return SendError(LoadingError(), &exchange);
  JsonWriter json;
  json.BeginObject();
  if (dialect != Dialect::kAnthropic) json.Key("object").Text("list");
  json.Key("data").BeginArray();
  for (const ModelPool::Row& model : models)
    WriteModel(model, service.models().catalog(), dialect, &json);
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
  auto model = service.models().Find(request.Parameter("id"));
  if (!model.ok()) return SendError(service.loading() ? LoadingError() : model.error(), &exchange);
  JsonWriter json;
  WriteModel(*model, service.models().catalog(), DialectOf(request), &json);
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
