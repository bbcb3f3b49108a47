// Anthropic's Messages: POST /v1/messages and /v1/messages/count_tokens, also below /anthropic, as
// DeepSeek serves them.
#include "serve/anthropic_answer.h"
#include "serve/anthropic_request.h"
#include "serve/generation.h"
#include "serve/json_writer.h"
#include "serve/routes.h"

namespace hadal {
namespace {

// The request, once its model is known.
ApiResult<AnthropicRequest> Read(const Service& service, const HttpRequest& request, bool counting,
                                 std::shared_ptr<Engine>* engine) {
  auto body = ParseRequest(request);
  if (!body.ok()) return body.error();
  const Metadata* name = body->root().FindNonNull("model");
  auto model = service.FindModel(name == nullptr ? "" : name->string().value_or(""));
  if (!model.ok()) return model.error();
  *engine = model->engine;
  return ReadAnthropicRequest(*body, AbilityOf(**engine), counting);
}

void AnswerMessages(const std::shared_ptr<Service>& service,
                    const std::shared_ptr<Exchange>& exchange) {
  std::shared_ptr<Engine> engine;
  auto request = Read(*service, exchange->request(), false, &engine);
  if (!request.ok()) return exchange->Send(ErrorResponse(request.error(), exchange->request()));
  auto writer = MakeAnthropicAnswer(
      exchange, {.stream = request->call.stream, .shows_thinking = request->shows_thinking});
  RunCall(service, std::move(request->call), exchange, std::move(writer));
}

void CountTokens(const std::shared_ptr<Service>& service,
                 const std::shared_ptr<Exchange>& exchange) {
  std::shared_ptr<Engine> engine;
  auto request = Read(*service, exchange->request(), true, &engine);
  if (!request.ok()) return exchange->Send(ErrorResponse(request.error(), exchange->request()));
  const auto ids = engine->Tokenize(request->call.request);
  if (!ids.ok()) return exchange->Send(ErrorResponse(ErrorOf(ids.status()), exchange->request()));
  JsonWriter json;
  json.BeginObject().Key("input_tokens").Integer(std::ssize(*ids)).EndObject();
  exchange->Send(HttpResponse::Json(json.Take()));
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
