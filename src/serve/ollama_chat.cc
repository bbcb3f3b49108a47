// Ollama's POST /api/chat and /api/generate.
#include "serve/generation.h"
#include "serve/model_wait.h"
#include "serve/ollama_answer.h"
#include "serve/ollama_request.h"
#include "serve/routes.h"

namespace hadal {
namespace {

ApiResult<OllamaRequest> Read(const Metadata& body, bool chat, const ServedModel& model) {
  const ModelAbility ability = AbilityOf(*model.engine);
  return chat ? ReadOllamaChat(body, model.name, ability)
              : ReadOllamaGenerate(body, model.name, ability);
}

void AnswerWith(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange,
                const Metadata& body, bool chat, ServedModel model) {
  auto request = Read(body, chat, model);
  if (!request.ok()) return SendError(request.error(), exchange.get());
  if (request->load_only)
    return exchange->Send(HttpResponse::Json(OllamaLoaded(model.name, chat, "load")));
  auto writer = MakeOllamaAnswer(
      exchange,
      {.stream = request->call.stream, .chat = chat, .ability = AbilityOf(*model.engine)});
  RunCall(service, std::move(model), std::move(request->call), exchange, std::move(writer));
}

// Nobody loads a model to unload it: what else the body says is checked where it is loaded.
void Unload(Service& service, Exchange* exchange, const Metadata& body, bool chat,
            const std::string& name) {
  auto row = service.models().Find(name);
  if (!row.ok()) return SendError(service.loading() ? LoadingError() : row.error(), exchange);
  if (row->engine != nullptr)
    if (const auto request = Read(body, chat, {row->name, row->engine}); !request.ok())
      return SendError(request.error(), exchange);
  service.models().Unload(name);
  exchange->Send(HttpResponse::Json(OllamaLoaded(row->name, chat, "unload")));
}

void AnswerOllama(const std::shared_ptr<Service>& service,
                  const std::shared_ptr<Exchange>& exchange, bool chat) {
  auto body = ParseOllamaBody(exchange->request());
  if (!body.ok()) return SendError(body.error(), exchange.get());
  auto name = OllamaModelName(body->root());
  if (!name.ok()) return SendError(name.error(), exchange.get());
  auto keep_alive = ReadKeepAlive(body->root());
  if (!keep_alive.ok()) return SendError(keep_alive.error(), exchange.get());
  if (*keep_alive == KeepAlive(0) && AsksNothing(body->root(), chat))
    return Unload(*service, exchange.get(), body->root(), chat, *name);
  WithModel(service, exchange, *name, *keep_alive,
            [service, exchange, body = *std::move(body), chat](ServedModel model) {
              AnswerWith(service, exchange, body.root(), chat, std::move(model));
            });
}

}  // namespace

void AddOllamaChatRoutes(Router* router, const std::shared_ptr<Service>& service) {
  const Access access = Access::Key(Scope::kInfer);
  for (const bool chat : {true, false})
    router->Add({"POST", chat ? "/api/chat" : "/api/generate", access,
                 [service, chat](const auto& exchange) { AnswerOllama(service, exchange, chat); }});
}

}  // namespace hadal
