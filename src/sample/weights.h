// From a row of logits to weights: what every draw and every log-probability passes over.
//
// A row has up to 129 280 values, so these loops are written for vectors, from single additions and
// multiplications: the same bits everywhere, with and without fused instructions (numeric's Exp is
// made of fused steps, which cost a call each where the processor is not known to have them).
#pragma once

#include <cstddef>
#include <span>

namespace hadal {

struct Largest {
  float value = 0.0f;     // of what is not NaN
  std::size_t index = 0;  // its first place
  bool sound = true;      // neither NaN nor +inf in the row, and something above -inf
};
Largest FindLargest(std::span<const float> logits);

// weights[i] = e^((logits[i] - largest) / temperature), relative error below 4e-7; 0 below e^-87.
// Returns their sum in double: eight running sums of every eighth weight, then those by ascending
// number. No logit is above `largest`; temperature > 0.
double WeighLogits(std::span<const float> logits, float largest, float temperature,
                   std::span<float> weights);

}  // namespace hadal
