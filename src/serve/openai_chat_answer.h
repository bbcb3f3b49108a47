// OpenAI's chat completions: the answer, as chunks or as one object.
#pragma once

#include <memory>

#include "serve/answer_writer.h"
#include "serve/call.h"
#include "serve/model_ability.h"

namespace hadal {

std::unique_ptr<AnswerWriter> MakeChatAnswer(std::shared_ptr<Exchange> exchange, const Call& call,
                                             const ModelAbility& ability);

}  // namespace hadal
