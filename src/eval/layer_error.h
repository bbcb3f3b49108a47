// How far one layer in profile `fast` may be from exact arithmetic: a simulation in float64 of the
// roundings that the order table makes (ops/matmul.h), on a layer with random weights. The bounds
// of `check model --profile fast` follow from it (docs/numerics.md).
#pragma once

#include <cstdint>

#include "numeric/weight_format.h"

namespace hadal {

// A latent-attention layer with a feed-forward part, activations of order one.
struct LayerErrorShape {
  std::int64_t tokens = 48, hidden = 256, heads = 4;
  std::int64_t q_rank = 256, latent = 256, nope = 64, rope = 32, value = 64, width = 256;
  double score_deviation = 2.0;  // of attention scores before the softmax: how peaked it is
};

// Relative root-mean-square error of the layer's update when every activation that meets a weight
// is rounded to `form` and cached values to bf16; everything else in double.
double SimulateLayerError(ActivationForm form, const LayerErrorShape& shape, std::uint64_t seed);

// The bound for models whose coarsest activation form is this one.
double FastLayerBound(ActivationForm form);

}  // namespace hadal
