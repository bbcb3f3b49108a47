// OpenAI's Responses, without a store: POST /v1/responses and its input_tokens.
#include "serve/asked.h"
#include "serve/generation.h"
#include "serve/json_writer.h"
#include "serve/openai_responses_answer.h"
#include "serve/openai_responses_request.h"
#include "serve/routes.h"

namespace hadal {
namespace {

void Respond(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange) {
  WithAsked(service, exchange, [service, exchange](Asked& asked) {
    auto request = ReadResponsesRequest(asked.body, asked.ability);
    if (!request.ok()) return SendError(request.error(), exchange.get());
    auto writer = MakeResponsesAnswer(exchange, *request, asked.ability);
    RunCall(service, asked.model, std::move(request->call), exchange, std::move(writer));
  });
}

void CountInput(const std::shared_ptr<Service>& service,
                const std::shared_ptr<Exchange>& exchange) {
  WithAsked(service, exchange, [exchange](Asked& asked) {
    auto request = ReadResponsesRequest(asked.body, asked.ability);
    if (!request.ok()) return SendError(request.error(), exchange.get());
    const auto ids = asked.model.engine->Tokenize(request->call.request);
    if (!ids.ok()) return SendError(ErrorOf(ids.status()), exchange.get());
    JsonWriter json;
    json.BeginObject().Key("object").Text("response.input_tokens").Key("input_tokens");
    exchange->Send(HttpResponse::Json(json.Integer(std::ssize(*ids)).EndObject().Take()));
  });
}

void NotStored(const std::shared_ptr<Exchange>& exchange) {
  const std::string id(exchange->request().Parameter("id"));
  SendError({.kind = ErrorKind::kNotFound,
             .message = "response '" + id + "' not found: none are stored here",
             .param = "response_id",
             .code = "response_not_found"},
            exchange.get());
}

}  // namespace

void AddResponsesRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access access = Access::Key(Scope::kInfer);
  router->Add("POST", {"/v1/responses", "/responses"}, access,
              [service](const auto& exchange) { Respond(service, exchange); });
  router->Add("POST", {"/v1/responses/input_tokens", "/responses/input_tokens"}, access,
              [service](const auto& exchange) { CountInput(service, exchange); });
  const auto not_stored = [](const auto& exchange) { NotStored(exchange); };
  router->Add("GET", {"/v1/responses/{id}", "/v1/responses/{id}/input_items"}, access, not_stored);
  router->Add("DELETE", {"/v1/responses/{id}"}, access, not_stored);
  router->Add("POST", {"/v1/responses/{id}/cancel"}, access, not_stored);
}

}  // namespace hadal
