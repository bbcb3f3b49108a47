// The answer of OpenAI's Responses: one response object, or the events that build it in the order
// of shared reference A1.6.
#pragma once

#include <memory>

#include "serve/answer_writer.h"
#include "serve/exchange.h"
#include "serve/model_ability.h"
#include "serve/openai_responses_request.h"

namespace hadal {

std::unique_ptr<AnswerWriter> MakeResponsesAnswer(std::shared_ptr<Exchange> exchange,
                                                  const ResponsesRequest& request,
                                                  const ModelAbility& ability);

}  // namespace hadal
