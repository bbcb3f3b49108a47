// Anthropic's Messages: POST /v1/messages and /v1/messages/count_tokens, also below /anthropic, as
// DeepSeek serves them.
#include "serve/anthropic_answer.h"
#include "serve/anthropic_request.h"
#include "serve/asked.h"
#include "serve/generation.h"
#include "serve/json_writer.h"
#include "serve/routes.h"

namespace hadal {
namespace {

void AnswerMessages(const std::shared_ptr<Service>& service,
                    const std::shared_ptr<Exchange>& exchange) {
  WithAsked(service, exchange, [service, exchange](Asked& asked) {
    auto request = ReadAnthropicRequest(asked.body, asked.ability, false);
    if (!request.ok()) return SendError(request.error(), exchange.get());
    auto writer = MakeAnthropicAnswer(
        exchange, {.stream = request->call.stream, .shows_thinking = request->shows_thinking});
    RunCall(service, asked.model, std::move(request->call), exchange, std::move(writer));
  });
}

void CountTokens(const std::shared_ptr<Service>& service,
                 const std::shared_ptr<Exchange>& exchange) {
  WithAsked(service, exchange, [exchange](Asked& asked) {
    auto request = ReadAnthropicRequest(asked.body, asked.ability, true);
    if (!request.ok()) return SendError(request.error(), exchange.get());
    const auto ids = asked.model.engine->Tokenize(request->call.request);
    if (!ids.ok()) return SendError(ErrorOf(ids.status()), exchange.get());
    JsonWriter json;
    json.BeginObject().Key("input_tokens").Integer(std::ssize(*ids)).EndObject();
    exchange->Send(HttpResponse::Json(json.Take()));
  });
}

}  // namespace

void AddAnthropicRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access access = Access::Key(Scope::kInfer);
  router->Add("POST", {"/v1/messages", "/anthropic/v1/messages", "/anthropic/messages"}, access,
              [service](const auto& exchange) { AnswerMessages(service, exchange); });
  router->Add("POST", {"/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens"}, access,
              [service](const auto& exchange) { CountTokens(service, exchange); });
}

}  // namespace hadal
