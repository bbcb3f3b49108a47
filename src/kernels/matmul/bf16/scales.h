// Where the scales of FP8 blocks lie, and when memory is asked for codes. After tile.h; see bf16.h.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

HADAL_INLINE std::int64_t Smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

// Where the scales of each of kCount outputs lie; those beyond the last repeat it.
template <int kCount>
struct ScaleRows {
  const std::byte* row[kCount];
  bool same;
};
template <int kCount>
HADAL_INLINE ScaleRows<kCount> ScalesFrom(const WeightRows& weight, std::int64_t output,
                                          std::int64_t last) {
  ScaleRows<kCount> rows;
  if (weight.format != WeightFormat::kFp8Block) return rows;
  std::int64_t block = (weight.first_row + output) / weight.block;
  std::int64_t in_block = (weight.first_row + output) % weight.block;
  for (int i = 0; i < kCount; ++i) {
    rows.row[i] = weight.scale + block * weight.scale_row_stride_bytes;
    if (output + i + 1 >= last || ++in_block < weight.block) continue;
    in_block = 0;
    ++block;
  }
  rows.same = rows.row[0] == rows.row[kCount - 1];
  return rows;
}

// A denormal scale counts as zero.
HADAL_INLINE float ReadScale(const WeightRows& weight, const std::byte* scales,
                             std::int64_t block) {
  unsigned bits;
  if (weight.scale_dtype == DType::kF8E8M0) {
    const auto code = static_cast<unsigned>(scales[block]);
    bits = code == 0xFF ? 0x7FC0'0000u : code << 23;
  } else {
    __builtin_memcpy(&bits, scales + 4 * block, sizeof(bits));
    if ((bits & 0x7F80'0000u) == 0) bits &= 0x8000'0000u;
  }
  float value;
  __builtin_memcpy(&value, &bits, sizeof(value));
  return value;
}
template <int kCount>
HADAL_INLINE void ReadScales(const WeightRows& weight, const ScaleRows<kCount>& rows,
                             std::int64_t block, float* scale) {
  const float first = ReadScale(weight, rows.row[0], block);
  for (int i = 0; i < kCount; ++i)
    scale[i] = rows.same ? first : ReadScale(weight, rows.row[i], block);
}

// Asks memory for codes early enough that they are there in time: some steps after byte `at` of
// each row, or where the row ends before, in the rows of the next tile, `tile` outputs on.
HADAL_INLINE void AskAhead(const WeightRows& weight, const OutputRows& rows, std::int64_t at,
                           int tile) {
  constexpr std::int64_t kAhead = 512;
  std::int64_t ahead = at + kAhead;
  if (ahead >= weight.row_stride_bytes) ahead += (tile - 1) * weight.row_stride_bytes;
  for (int r = 0; r < kPartLanes; ++r) __builtin_prefetch(rows.row[r] + ahead);
}

}  // namespace
}  // namespace hadal
