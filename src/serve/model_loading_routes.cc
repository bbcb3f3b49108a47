// Loading and unloading by hand, in the form of llama-server's router: POST /models/load and
// /models/unload, {"model": NAME} -> {"success": true}. /v1/models says the state of each model.
#include "serve/json_reader.h"
#include "serve/model_wait.h"
#include "serve/routes.h"

namespace hadal {
namespace {

constexpr char kDone[] = R"({"success":true})";

ApiResult<std::string> ReadName(const HttpRequest& request) {
  auto document = ParseRequest(request);
  if (!document.ok()) return document.error();
  RequestReader reader;
  Fields body(document->root(), "", &reader);
  body.Require("model");
  std::string name = body.Text("model").value_or("");
  body.Finish();
  if (reader.failed()) return reader.error();
  if (name.empty()) return InvalidField("model", "must not be empty", "invalid_value");
  return name;
}

// Answers once it is loaded.
void Load(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange) {
  auto name = ReadName(exchange->request());
  if (!name.ok()) return SendError(name.error(), exchange.get());
  WithModel(service, exchange, *name, std::nullopt,
            [exchange](const ServedModel&) { exchange->Send(HttpResponse::Json(kDone)); });
}

// Answers at once; the memory is free when the last answer of the model has ended.
void Unload(Service& service, Exchange* exchange) {
  auto name = ReadName(exchange->request());
  if (!name.ok()) return SendError(name.error(), exchange);
  auto row = service.models().Find(*name);
  if (!row.ok()) return SendError(service.loading() ? LoadingError() : row.error(), exchange);
  service.models().Unload(*name);
  exchange->Send(HttpResponse::Json(kDone));
}

}  // namespace

void AddModelLoadingRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access access = Access::Key(Scope::kManage);
  router->Add("POST", {"/models/load"}, access,
              [service](const auto& exchange) { Load(service, exchange); });
  router->Add("POST", {"/models/unload"}, access,
              [service](const auto& exchange) { Unload(*service, exchange.get()); });
}

}  // namespace hadal
