// Log-probabilities of a row of logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hadal/sampling.h"

namespace hadal {

// log(sum(exp(logits))), the sum as in WeighLogits (weights.h).
// The row is finite but for -inf, and not all of it is -inf.
double LogPartition(std::span<const float> logits);

// The `count` largest, falling, ids ascending among equals.
std::vector<TokenLogProbability> TopLogProbabilities(std::span<const float> logits,
                                                     double log_partition, std::int32_t count);

}  // namespace hadal
