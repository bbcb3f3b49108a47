// Waiting for a model: what every question to one begins with where it may have to be loaded.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "serve/exchange.h"
#include "serve/model_pool.h"
#include "serve/service.h"

namespace hadal {

// Calls `then` with the model of the name, in use, on the exchange's strand: at once where it is
// loaded. Else the exchange waits without holding up a thread, until the model is loaded, the
// client goes away, ServiceLimits::load_seconds are over or the server ends. What goes wrong is
// answered here. Call on the strand.
void WithModel(const std::shared_ptr<Service>& service, const std::shared_ptr<Exchange>& exchange,
               const std::string& name, std::optional<KeepAlive> keep_alive,
               std::function<void(ServedModel)> then);

}  // namespace hadal
