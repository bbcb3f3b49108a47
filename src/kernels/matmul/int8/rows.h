// Where the rows of a tile lie, and where a step finds the activations. After a vector_*.h; see
// int8.h.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

// kLanes rows of a weight. Lanes beyond the last row repeat it; their sums are not stored.
struct TileRows {
  const Bytes* data[kLanes];
  const Bytes* scale[kLanes];  // formats with separate scales
  float global_scale;
};

// The same block of kRows rows of activations.
template <int kRows>
struct ActivationBlocks {
  const std::int8_t* codes[kRows];
  const float* scale[kRows];
  const std::int16_t* sums[kRows];  // of 16 columns each
};

}  // namespace
}  // namespace hadal
