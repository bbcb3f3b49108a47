// The answer of Anthropic's Messages: one message of blocks, or the events that build it. Order and
// fields: shared reference A3.2.
#pragma once

#include <memory>

#include "serve/answer_writer.h"
#include "serve/exchange.h"

namespace hadal {

struct AnthropicAnswerOptions {
  bool stream = false;
  bool shows_thinking = true;  // else thinking blocks come empty, with their signature
};
std::unique_ptr<AnswerWriter> MakeAnthropicAnswer(std::shared_ptr<Exchange> exchange,
                                                  const AnthropicAnswerOptions& options);

}  // namespace hadal
