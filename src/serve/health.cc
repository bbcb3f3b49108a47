// Is the server there, and does it take requests? Without a key, and saying nothing else.
#include "serve/routes.h"

namespace hadal {
namespace {

void Tell(Exchange& exchange, bool well, const char* otherwise) {
  exchange.Send(HttpResponse::Json(
      std::string("{\"status\":\"") + (well ? "ok" : otherwise) + "\"}", well ? 200 : 503));
}

}  // namespace

void AddHealthRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access access = Access::Public();
  router->Add("GET", {"/livez", "/startupz"}, access,
              [](const auto& exchange) { Tell(*exchange, true, ""); });
  router->Add("GET", {"/health", "/v1/health", "/readyz"}, access,
              [service](const auto& exchange) { Tell(*exchange, service->ready(), "draining"); });
}

}  // namespace hadal
