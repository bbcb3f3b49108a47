// Ollama's POST /api/chat and /api/generate.
#include "serve/generation.h"
#include "serve/ollama_answer.h"
#include "serve/ollama_request.h"
#include "serve/routes.h"

namespace hadal {
namespace {

ApiResult<OllamaRequest> Read(const Service& service, const HttpRequest& request, bool chat,
                              ServedModel* model) {
  auto body = ParseOllamaBody(request);
  if (!body.ok()) return body.error();
  auto found = FindOllamaModel(body->root(), service);
  if (!found.ok()) return found.error();
  *model = std::move(*found);
  return chat ? ReadOllamaChat(body->root(), *model) : ReadOllamaGenerate(body->root(), *model);
}

void AnswerOllama(const std::shared_ptr<Service>& service,
                  const std::shared_ptr<Exchange>& exchange, bool chat) {
  ServedModel model;
  auto request = Read(*service, exchange->request(), chat, &model);
  if (!request.ok()) return SendError(request.error(), exchange.get());
  if (request->load_only)
    return exchange->Send(
        HttpResponse::Json(OllamaLoaded(model.name, chat, request->unload ? "unload" : "load")));
  auto writer = MakeOllamaAnswer(
      exchange,
      {.stream = request->call.stream, .chat = chat, .ability = AbilityOf(*model.engine)});
  RunCall(service, std::move(request->call), exchange, std::move(writer));
}

}  // namespace

void AddOllamaChatRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access access = Access::Key(Scope::kInfer);
  for (const bool chat : {true, false})
    router->Add({"POST", chat ? "/api/chat" : "/api/generate", access,
                 [service, chat](const auto& exchange) { AnswerOllama(service, exchange, chat); }});
}

}  // namespace hadal
