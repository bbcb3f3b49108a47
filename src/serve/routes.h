// The routes of the server, one function a dialect.
#pragma once

#include <memory>

#include "serve/metrics.h"
#include "serve/router.h"
#include "serve/service.h"

namespace hadal {

void AddHealthRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddOpenAiChatRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddAnthropicRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddOllamaChatRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddOllamaModelRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddDeepSeekRoutes(Router* router);
void AddEmbeddingsRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddLlamaServerRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddResponsesRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddCompletionsRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddPageRoutes(Router* router);
void AddModelRoutes(Router* router, const std::shared_ptr<Service>& service);
void AddModelLoadingRoutes(Router* router, const std::shared_ptr<Service>& service);

// GET /metrics and the live view of the page.
void AddObservationRoutes(Router* router, const std::shared_ptr<Service>& service,
                          const std::shared_ptr<Metrics>& metrics);

// GET /openapi.json: what the routes take, for programs.
void AddOpenApiRoute(Router* router);

// All of them.
std::shared_ptr<Router> MakeRouter(const std::shared_ptr<Service>& service,
                                   const std::shared_ptr<Metrics>& metrics);

}  // namespace hadal
