// OpenAI's Responses, without a store: POST /v1/responses and its input_tokens.
#include "serve/generation.h"
#include "serve/json_writer.h"
#include "serve/openai_responses_answer.h"
#include "serve/openai_responses_request.h"
#include "serve/routes.h"

namespace hadal {
namespace {

ApiResult<ResponsesRequest> Read(const Service& service, const HttpRequest& request,
                                 std::shared_ptr<Engine>* engine) {
  auto body = ParseRequest(request);
  if (!body.ok()) return body.error();
  const Metadata* name = body->root().FindNonNull("model");
  auto model = service.FindModel(name == nullptr ? "" : name->string().value_or(""));
  if (!model.ok()) return model.error();
  *engine = model->engine;
  return ReadResponsesRequest(*body, AbilityOf(**engine));
}

void Respond(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange) {
  std::shared_ptr<Engine> engine;
  auto request = Read(*service, exchange->request(), &engine);
  if (!request.ok()) return exchange->Send(ErrorResponse(request.error(), exchange->request()));
  auto writer = MakeResponsesAnswer(exchange, *request, AbilityOf(*engine));
  RunCall(service, std::move(request->call), exchange, std::move(writer));
}

void CountInput(const std::shared_ptr<Service>& service,
                const std::shared_ptr<Exchange>& exchange) {
  std::shared_ptr<Engine> engine;
  auto request = Read(*service, exchange->request(), &engine);
  if (!request.ok()) return exchange->Send(ErrorResponse(request.error(), exchange->request()));
  const auto ids = engine->Tokenize(request->call.request);
  if (!ids.ok()) return exchange->Send(ErrorResponse(ErrorOf(ids.status()), exchange->request()));
  JsonWriter json;
  json.BeginObject().Key("object").Text("response.input_tokens").Key("input_tokens");
  exchange->Send(HttpResponse::Json(json.Integer(std::ssize(*ids)).EndObject().Take()));
}

void NotStored(const std::shared_ptr<Exchange>& exchange) {
  const std::string id(exchange->request().Parameter("id"));
  exchange->Send(ErrorResponse({.kind = ErrorKind::kNotFound,
                                .message = "response '" + id + "' not found: none are stored here",
                                .param = "response_id",
                                .code = "response_not_found"},
                               exchange->request()));
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
