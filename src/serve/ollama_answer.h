// The answers of Ollama's /api/chat and /api/generate: lines of JSON, or one object. Fields: shared
// reference A4.1.
#pragma once

#include <memory>

#include "serve/answer_writer.h"
#include "serve/exchange.h"
#include "serve/model_ability.h"

namespace hadal {

struct OllamaAnswerOptions {
  bool stream = true;
  bool chat = true;           // a message, else a response
  ModelAbility ability = {};  // for the texts of log-probabilities
};
std::unique_ptr<AnswerWriter> MakeOllamaAnswer(std::shared_ptr<Exchange> exchange,
                                               const OllamaAnswerOptions& options);

// The one object for a request that asks nothing: `reason` is "load" or "unload".
std::string OllamaLoaded(const std::string& model, bool chat, std::string_view reason);

}  // namespace hadal
