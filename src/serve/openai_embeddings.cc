// OpenAI's POST /v1/embeddings. The request is checked, then refused for what the models are: they
// were trained to continue text, and nothing that could be taken from them is known to work as an
// embedding.
#include "serve/field_lists.h"
#include "serve/number_limits.h"
#include "serve/routes.h"

namespace hadal {
namespace {

constexpr std::size_t kMostInputs = 2048;
constexpr std::string_view kEncodings[] = {"float", "base64"};

// A text, texts, ids or lists of ids, none of them empty.
void CheckInput(Fields* body) {
  body->Require("input");
  const Metadata* input = body->Any("input");
  if (input == nullptr) return;
  if (input->is_string()) {
    if (input->string()->empty()) body->Fail("input", "must not be empty", "invalid_value");
    return;
  }
  const auto items = body->Array("input", 1, kMostInputs);
  if (!items) return;
  for (const Metadata& item : *items) {
    const bool text = item.is_string() && !item.string()->empty();
    const bool id = item.is_integer() && item.integer().value_or(-1) >= 0;
    const bool ids = item.is_array() && !item.items().empty();
    if (!text && !id && !ids)
      return body->Fail("input", "must be a text, texts, ids or lists of ids, none of them empty",
                        "invalid_value");
  }
}

void Embed(const Service& service, const std::shared_ptr<Exchange>& exchange) {
  const auto fail = [&exchange](const ApiError& error) { SendError(error, exchange.get()); };
  auto document = ParseRequest(exchange->request());
  if (!document.ok()) return fail(document.error());
  RequestReader reader;
  Fields body(document->root(), "", &reader);
  body.Require("model");
  const std::string name = body.Text("model").value_or("");
  auto model = service.models().Find(name);
  if (!reader.failed() && !model.ok()) return fail(model.error());
  CheckInput(&body);
  body.Word("encoding_format", kEncodings);
  ReadInteger(&body, "dimensions");
  body.Text("user");
  body.Finish();
  if (reader.failed()) return fail(reader.error());
  fail({.kind = ErrorKind::kInvalid,
        .message =
            "the model '" + model->name + "' has no embeddings: it was trained to continue text",
        .param = "model",
        .code = "unsupported_model"});
}

}  // namespace

void AddEmbeddingsRoutes(Router* router, const std::shared_ptr<Service>& service) {
  router->Add("POST", {"/v1/embeddings", "/embeddings"}, Access::Key(Scope::kInfer),
              [service](const auto& exchange) { Embed(*service, exchange); });
}

}  // namespace hadal
