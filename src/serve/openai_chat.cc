// OpenAI's POST /v1/chat/completions, which is DeepSeek's under several more names.
#include "serve/generation.h"
#include "serve/openai_chat_answer.h"
#include "serve/openai_chat_request.h"
#include "serve/routes.h"

namespace hadal {
namespace {

void CompleteChat(const std::shared_ptr<Service>& service,
                  const std::shared_ptr<Exchange>& exchange) {
  const auto refuse = [&](const ApiError& error) {
    exchange->Send(ErrorResponse(error, exchange->request()));
  };
  auto body = ParseRequest(exchange->request());
  if (!body.ok()) return refuse(body.error());
  const Metadata* name = body->root().FindNonNull("model");
  auto model = service->FindModel(name == nullptr ? "" : name->string().value_or(""));
  if (!model.ok()) return refuse(model.error());
  const ModelAbility ability = AbilityOf(*model->engine);
  auto call = ReadChatRequest(*body, ability, model->engine->info());
  if (!call.ok()) return refuse(call.error());
  auto writer = MakeChatAnswer(exchange, *call, ability);
  RunCall(service, std::move(*call), exchange, std::move(writer));
}

}  // namespace

void AddOpenAiChatRoutes(Router* router, const std::shared_ptr<Service>& service) {
  router->Add("POST",
              {"/v1/chat/completions", "/chat/completions", "/beta/chat/completions",
               "/beta/v1/chat/completions"},
              Access::Key(Scope::kInfer),
              [service](const auto& exchange) { CompleteChat(service, exchange); });
}

}  // namespace hadal
