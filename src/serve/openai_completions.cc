// OpenAI's POST /v1/completions, which is DeepSeek's FIM below /beta too.
#include "serve/generation.h"
#include "serve/openai_completions_answer.h"
#include "serve/openai_completions_request.h"
#include "serve/routes.h"

namespace hadal {
namespace {

void Complete(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange) {
  const auto fail = [&exchange](const ApiError& error) {
    exchange->Send(ErrorResponse(error, exchange->request()));
  };
  auto body = ParseRequest(exchange->request());
  if (!body.ok()) return fail(body.error());
  const Metadata* name = body->root().FindNonNull("model");
  auto model = service->FindModel(name == nullptr ? "" : name->string().value_or(""));
  if (!model.ok()) return fail(model.error());
  const ModelAbility ability = AbilityOf(*model->engine);
  auto request = ReadCompletions(*body, ability);
  if (!request.ok()) return fail(request.error());
  auto writer = MakeCompletionsAnswer(exchange, *request, ability);
  RunCall(service, std::move(request->call), exchange, std::move(writer));
}

}  // namespace

void AddCompletionsRoutes(Router* router, const std::shared_ptr<Service>& service) {
  router->Add(
      "POST", {"/v1/completions", "/completions", "/beta/completions", "/beta/v1/completions"},
      Access::Key(Scope::kInfer), [service](const auto& exchange) { Complete(service, exchange); });
}

}  // namespace hadal
