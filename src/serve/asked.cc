#include "serve/asked.h"

namespace hadal {

ApiResult<Asked> ReadAsked(const Service& service, const HttpRequest& request) {
  auto body = ParseRequest(request);
  if (!body.ok()) return body.error();
  const Metadata* name = body->root().FindNonNull("model");
  auto model = service.FindModel(name == nullptr ? "" : name->string().value_or(""));
  if (!model.ok()) return model.error();
  const ModelAbility ability = AbilityOf(*model->engine);
  return Asked{std::move(*body), std::move(*model), ability};
}

}  // namespace hadal
