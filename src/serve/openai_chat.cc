// OpenAI's POST /v1/chat/completions, which is DeepSeek's under several more names.
#include "serve/asked.h"
#include "serve/generation.h"
#include "serve/openai_chat_answer.h"
#include "serve/openai_chat_request.h"
#include "serve/routes.h"
#include "serve/openai_tools.h"

namespace hadal {
namespace {

void CompleteChat(const std::shared_ptr<Service>& service,
                  const std::shared_ptr<Exchange>& exchange) {
  auto asked = ReadAsked(*service, exchange->request());
  if (!asked.ok()) return SendError(asked.error(), exchange.get());
  auto call = ReadChatRequest(asked->body, asked->ability, asked->model.engine->info());
  if (!call.ok()) return SendError(call.error(), exchange.get());
  auto writer = MakeChatAnswer(exchange, *call, asked->ability);
  if (exchange->request().path.starts_with("/beta/"))
    if (const auto error = CheckStrictTools(asked->body.root()))
      return SendError(*error, exchange.get());
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
