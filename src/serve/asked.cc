#include "serve/asked.h"

#include "serve/model_wait.h"

namespace hadal {

void WithAsked(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange,
               std::function<void(Asked&)> then) {
  auto body = ParseRequest(exchange->request());
  if (!body.ok()) return SendError(body.error(), exchange.get());
  const Metadata* named = body->root().FindNonNull("model");
  const std::string name(named == nullptr ? "" : named->string().value_or(""));
  WithModel(service, exchange, name, std::nullopt,
            [body = *std::move(body), then = std::move(then)](ServedModel model) mutable {
              const ModelAbility ability = AbilityOf(*model.engine);
              Asked asked{std::move(body), std::move(model), ability};
              then(asked);
            });
}

}  // namespace hadal
