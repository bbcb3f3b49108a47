// Is the server there, and does it take requests? Without a key, and saying nothing else.
#include "serve/routes.h"

namespace hadal {
namespace {

void Tell(Exchange& exchange, const char* status, int http_status = 200) {
  exchange.Send(HttpResponse::Json(std::string("{\"status\":\"") + status + "\"}", http_status));
}

void TellReadiness(const Service& service, Exchange& exchange) {
  if (service.ready()) return Tell(exchange, "ok");
  if (!service.loading()) return Tell(exchange, "draining", 503);
  // As llama-server says it.
  HttpResponse response = HttpResponse::Json(
      R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})", 503);
  response.headers.Add("Retry-After", std::to_string(LoadingError().retry_after_seconds));
  exchange.Send(std::move(response));
}

}  // namespace

void AddHealthRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access access = Access::Public();
  router->Add("GET", {"/livez"}, access, [](const auto& exchange) { Tell(*exchange, "ok"); });
  router->Add("GET", {"/startupz"}, access, [service](const auto& exchange) {
    service->loading() ? TellReadiness(*service, *exchange) : Tell(*exchange, "ok");
  });
  router->Add("GET", {"/health", "/v1/health", "/readyz"}, access,
              [service](const auto& exchange) { TellReadiness(*service, *exchange); });
}

}  // namespace hadal
