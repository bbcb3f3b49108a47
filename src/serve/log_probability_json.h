// Log-probabilities as OpenAI writes them: {"token", "logprob", "bytes", "top_logprobs"}.
#pragma once

#include <string>
#include <vector>

#include "hadal/generate.h"
#include "serve/json_writer.h"
#include "serve/model_ability.h"

namespace hadal {

struct ChosenToken {
  std::int32_t token = -1;
  float log_probability = 0;
  std::vector<TokenLogProbability> top = {};
};

// One token. Its text is U+FFFD where it is part of a character; the bytes are exact.
void WriteChosenToken(const ModelAbility& ability, const ChosenToken& token, JsonWriter* json);
// [token, ...]
void WriteChosenTokens(const ModelAbility& ability, const std::vector<ChosenToken>& tokens,
                       JsonWriter* json);

}  // namespace hadal
