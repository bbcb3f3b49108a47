// What every question to a model begins with: its body, the model it names, what that can do.
#pragma once

#include <functional>
#include <memory>

#include "serve/exchange.h"
#include "serve/json_reader.h"
#include "serve/model_ability.h"
#include "serve/service.h"

namespace hadal {

struct Asked {
  MetadataDocument body;
  ServedModel model;
  ModelAbility ability;
};

// Reads the body and calls `then` with the model that it names (the default one where it names
// none), as WithModel does; what is wrong before is answered. Call on the exchange's strand.
void WithAsked(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange,
               std::function<void(Asked&)> then);

}  // namespace hadal
