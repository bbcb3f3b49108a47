// Where the rows of a tile lie, and where a step finds the activations. After a vector_*.h; see
// int8.h.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

// kLanes rows that lie evenly, in as many addresses as registers hold.
class EvenRows {
 public:
  EvenRows() = default;
  HADAL_INLINE EvenRows(const Bytes* first, std::int64_t stride) : stride_(stride) {
    for (int i = 0; i < kLanes / 4; ++i) fourth_[i] = first + 4 * i * stride;
  }
  HADAL_INLINE const Bytes* operator[](int row) const {
    return fourth_[row / 4] + row % 4 * stride_;
  }

 private:
  const Bytes* fourth_[kLanes / 4];
  std::int64_t stride_;
};

// kLanes rows of a weight: neighbours, or the same row in every lane.
struct TileRows {
  EvenRows data;
  EvenRows scale;  // formats with separate scales
  float global_scale;
};

// The outputs of a tile: `count` lanes from `first` on, of which lane 0 would lie at `y`.
struct TileOutputs {
  float* y;
  int first;
  int count;
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
