// Sampler: a row of logits to the next token of one answer (hadal/sampling.h says in which steps).
//
// The result is a function of the logits, the options, the tokens seen and the position alone: the
// random number of a position is UniformAt(seed, choice, position), so that batches, restarts and
// drafts cannot change it. Weights are f32 exponentials of our own, sums are double in a stated
// order (weights.h), ties go to the lower id; no libm and no std:: distribution.
//
// Penalties: Keskar et al. 2019 (repetition), OpenAI API reference (presence, frequency).
// Truncation: Fan et al. 2018 (top-k), Holtzman et al. 2020 (top-p), Nguyen et al. 2024 (min-p).
//
// An object belongs to one thread.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "hadal/sampling.h"
#include "sample/token_filter.h"

namespace hadal {

// kUsage, naming the option, where a value makes no sense for this vocabulary.
Status CheckSampling(const SamplingOptions& options, std::int64_t vocabulary);

struct SampledToken {
  std::int32_t token = -1;
  float log_probability = 0.0f;          // where options.log_probabilities >= 0
  std::vector<TokenLogProbability> top;  // options.log_probabilities of them
};

class Sampler {
 public:
  // `options` have passed CheckSampling. `prompt` is what the repetition penalty looks back on.
  Sampler(const SamplingOptions& options, std::span<const std::int32_t> prompt);

  // Chooses the token at `position` of the timeline and remembers it for the penalties. Fails where
  // the row holds NaN or +inf, or nothing above -inf: such a row means that the step went wrong.
  // With a filter the other tokens count as impossible, after bias and penalties; kDeadEnd where
  // none is left. Log-probabilities stay those of the model.
  Result<SampledToken> Next(std::span<const float> logits, std::int64_t position,
                            TokenFilter* filter = nullptr);

  // What Next says of a token that is given already; nothing is remembered.
  Result<SampledToken> Given(std::span<const float> logits, std::int64_t position,
                             std::int32_t token) const;

 private:
  struct Seen {
    bool anywhere = false;
    std::int32_t answered = 0;
  };
  bool adjusts() const;
  void Adjust(std::vector<float>* logits) const;
  void Report(std::span<const float> logits, SampledToken* sampled) const;
  Result<std::int32_t> Choose(std::span<const float> logits, std::int64_t position,
                              TokenFilter* filter);
  std::int32_t Draw(std::span<const float> logits, float largest, std::int64_t position);

  SamplingOptions options_;
  std::unordered_map<std::int32_t, Seen> seen_;  // kept where a penalty needs it
  std::vector<float> adjusted_, weights_;        // [vocabulary], reused from token to token
};

}  // namespace hadal
