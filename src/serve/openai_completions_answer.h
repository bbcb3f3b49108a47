// The answer of OpenAI's completions: choices of text, whole or as a stream of their pieces.
#pragma once

#include <memory>

#include "serve/answer_writer.h"
#include "serve/exchange.h"
#include "serve/openai_completions_request.h"

namespace hadal {

std::unique_ptr<AnswerWriter> MakeCompletionsAnswer(std::shared_ptr<Exchange> exchange,
                                                    const CompletionsRequest& request,
                                                    const ModelAbility& ability);

}  // namespace hadal
