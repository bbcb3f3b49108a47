// OpenAI's POST /v1/completions, which is DeepSeek's FIM below /beta too.
#include "serve/asked.h"
#include "serve/generation.h"
#include "serve/openai_completions_answer.h"
#include "serve/openai_completions_request.h"
#include "serve/routes.h"

namespace hadal {
namespace {

void Complete(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange) {
  WithAsked(service, exchange, [service, exchange](Asked& asked) {
    auto request = ReadCompletions(asked.body, asked.ability);
    if (!request.ok()) return SendError(request.error(), exchange.get());
    auto writer = MakeCompletionsAnswer(exchange, *request, asked.ability);
    RunCall(service, asked.model, std::move(request->call), exchange, std::move(writer));
  });
}

}  // namespace

void AddCompletionsRoutes(Router* router, const std::shared_ptr<Service>& service) {
  router->Add(
      "POST", {"/v1/completions", "/completions", "/beta/completions", "/beta/v1/completions"},
      Access::Key(Scope::kInfer), [service](const auto& exchange) { Complete(service, exchange); });
}

}  // namespace hadal
