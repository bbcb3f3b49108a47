// Generation: runs a call on its model's engine and hands the events to a writer, on the exchange's
// strand and never on the engine's thread. Cancels all answers within a step when the client goes
// away. Any thread may call Run.
#pragma once

#include <memory>

#include "serve/answer_writer.h"
#include "serve/call.h"
#include "serve/exchange.h"
#include "serve/model_pool.h"

namespace hadal {

class Service;

// Answers the exchange in every case: through the writer once the call is admitted, with an error
// response before (a full queue). Call from the exchange's strand.
void RunCall(const std::shared_ptr<Service>& service, ServedModel model, Call call,
             std::shared_ptr<Exchange> exchange, std::unique_ptr<AnswerWriter> writer);

}  // namespace hadal
