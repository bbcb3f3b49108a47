#include "serve/routes.h"

namespace hadal {

std::shared_ptr<Router> MakeRouter(const std::shared_ptr<Service>& service,
                                   const std::shared_ptr<Metrics>& metrics) {
  auto router = std::make_shared<Router>();
  AddHealthRoutes(router.get(), service);
  AddPageRoutes(router.get());
  AddModelRoutes(router.get(), service);
  AddModelLoadingRoutes(router.get(), service);
  AddOpenAiChatRoutes(router.get(), service);
  AddCompletionsRoutes(router.get(), service);
  AddResponsesRoutes(router.get(), service);
  AddEmbeddingsRoutes(router.get(), service);
  AddDeepSeekRoutes(router.get());
  AddLlamaServerRoutes(router.get(), service);
  AddAnthropicRoutes(router.get(), service);
  AddOllamaChatRoutes(router.get(), service);
  AddOllamaModelRoutes(router.get(), service);
  AddObservationRoutes(router.get(), service, metrics);
  AddOpenApiRoute(router.get());
  return router;
}

}  // namespace hadal
