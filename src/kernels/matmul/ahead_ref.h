// Reference kernels that read several weight rows side by side ask memory for them early: hardware
// follows only so many streams.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

// Soon after byte `at` of a row is read, what lies some way behind it will be: in the row itself
// or, where that ends, in the row that takes its place in the next tile of `tile` rows. The place
// is the same in every row of a tile: how far behind the row's beginning.
inline std::int64_t AheadOf(const WeightRows& weight, std::int64_t at, std::int64_t tile) {
  constexpr std::int64_t kAhead = 512;
  const std::int64_t ahead = at + kAhead;
  return ahead < weight.row_stride_bytes ? ahead : ahead + (tile - 1) * weight.row_stride_bytes;
}

inline void AskFor(const std::byte* at) { __builtin_prefetch(at); }

}  // namespace hadal
