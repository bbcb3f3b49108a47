// How the next token is chosen. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hadal {

// The steps run in this order: logit bias, repetition penalty, presence and frequency penalty,
// temperature, top-k, top-p, min-p, choice. Every step that has its neutral value is left out.
struct SamplingOptions {
  float temperature = 1.0f;  // 0: the most likely token, the lowest id among equals
  std::int32_t top_k = 0;    // keep the k most likely tokens; 0: all
  float top_p = 1.0f;        // keep the fewest tokens whose probabilities reach p
  float min_p = 0.0f;        // keep tokens at least this fraction as likely as the likeliest

  float repetition_penalty = 1.0f;  // tokens of prompt and answer: divides logits above 0,
                                    // multiplies those below
  float presence_penalty = 0.0f;    // taken once from each token of the answer
  float frequency_penalty = 0.0f;   // taken for each time that a token stands in the answer
  std::vector<std::pair<std::int32_t, float>> logit_bias = {};  // added to the logit of a token id

  // The same prompt, seed and choice give the same tokens, whatever else runs.
  std::uint64_t seed = 0;
  std::uint64_t choice = 0;  // index of this answer among several to one request

  // -1: no log-probabilities; 0: of the chosen token; N: also of the N most likely ones. They are
  // those of the model: before penalties, bias and temperature.
  std::int32_t log_probabilities = -1;
};

struct TokenLogProbability {
  std::int32_t token = -1;
  float log_probability = 0.0f;
};

}  // namespace hadal
