// OpenAI's POST /v1/chat/completions, which is DeepSeek's under several more names.
#include "serve/asked.h"
#include "serve/generation.h"
#include "serve/json_writer.h"
#include "serve/openai_chat_answer.h"
#include "serve/openai_chat_request.h"
#include "serve/openai_tools.h"
#include "serve/routes.h"

namespace hadal {
namespace {

void CompleteChat(const std::shared_ptr<Service>& service,
                  const std::shared_ptr<Exchange>& exchange) {
  WithAsked(service, exchange, [service, exchange](Asked& asked) {
    auto call = ReadChatRequest(asked.body, asked.ability, asked.model.engine->info());
    if (!call.ok()) return SendError(call.error(), exchange.get());
    if (exchange->request().path.starts_with("/beta/"))
      if (const auto error = CheckStrictTools(asked.body.root()))
        return SendError(*error, exchange.get());
    auto writer = MakeChatAnswer(exchange, *call, asked.ability);
    RunCall(service, asked.model, std::move(*call), exchange, std::move(writer));
  });
}

// llama-server's additions: how many tokens that would be, and no more of this reasoning.
void CountInput(const std::shared_ptr<Service>& service,
                const std::shared_ptr<Exchange>& exchange) {
  WithAsked(service, exchange, [exchange](Asked& asked) {
    auto call = ReadChatRequest(asked.body, asked.ability, asked.model.engine->info());
    if (!call.ok()) return SendError(call.error(), exchange.get());
    const auto ids = asked.model.engine->Tokenize(call->request);
    if (!ids.ok()) return SendError(ErrorOf(ids.status()), exchange.get());
    JsonWriter json;
    json.BeginObject().Key("object").Text("response.input_tokens").Key("input_tokens");
    exchange->Send(HttpResponse::Json(json.Integer(std::ssize(*ids)).EndObject().Take()));
  });
}

void Control(Service& service, const std::shared_ptr<Exchange>& exchange) {
  constexpr std::string_view kActions[] = {"reasoning_end"};
  auto document = ParseRequest(exchange->request());
  if (!document.ok()) return SendError(document.error(), exchange.get());
  RequestReader reader;
  Fields body(document->root(), "", &reader);
  body.Require("id");
  body.Require("action");
  body.Any("model");
  const std::string id = body.Text("id").value_or("");
  body.Word("action", kActions);
  body.Finish();
  if (reader.failed()) return SendError(reader.error(), exchange.get());
  if (!service.EndReasoning(exchange->request().key->name, id))
    return SendError({.kind = ErrorKind::kNotFound,
                      .message = "no answer of the id '" + id + "' is being made",
                      .param = "id",
                      .code = "answer_not_found"},
                     exchange.get());
  exchange->Send(HttpResponse::Json(R"({"success":true})"));
}

}  // namespace

void AddOpenAiChatRoutes(Router* router, const std::shared_ptr<Service>& service) {
  router->Add("POST",
              {"/v1/chat/completions", "/chat/completions", "/beta/chat/completions",
               "/beta/v1/chat/completions"},
              Access::Key(Scope::kInfer),
              [service](const auto& exchange) { CompleteChat(service, exchange); });
  router->Add("POST", {"/v1/chat/completions/input_tokens", "/chat/completions/input_tokens"},
              Access::Key(Scope::kInfer),
              [service](const auto& exchange) { CountInput(service, exchange); });
  router->Add("POST", {"/v1/chat/completions/control", "/chat/completions/control"},
              Access::Key(Scope::kInfer),
              [service](const auto& exchange) { Control(*service, exchange); });
}

}  // namespace hadal
