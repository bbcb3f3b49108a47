// Tiles of bf16 and FP8 weights, transposed: one output a lane. After simd/part_*.h, simd/fp8.h and
// a pairs_*.h; see bf16.h.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

constexpr int kTileOutputs = 32;
constexpr int kTileParts = kTileOutputs / kPartLanes;
constexpr int kGroup = 32;  // columns of a chain
constexpr std::int64_t kTileColumns = 128;

// Columns 2i and 2i + 1 of every output.
struct PairOfColumns {
  float even[kTileOutputs];
  float odd[kTileOutputs];
};
struct Tile {
  PairOfColumns pair[kTileColumns / 2];
};

// A group of columns of kPartLanes outputs as bf16, where it must be widened or padded first.
struct GroupRows {
  std::uint16_t code[kPartLanes][kGroup];
};

// Codes [k, k + count) of a row, count <= kGroup, to bf16; zeros after them.
HADAL_INLINE void ReadCodes(const WeightRows& weight, std::int64_t row, std::int64_t k,
                            std::int64_t count, std::uint16_t* to) {
  const std::byte* from = weight.data + row * weight.row_stride_bytes;
  if (weight.format == WeightFormat::kBF16) {
    __builtin_memset(to, 0, kGroup * sizeof(std::uint16_t));
    __builtin_memcpy(to, from + 2 * k, 2 * static_cast<std::size_t>(count));
    return;
  }
  std::byte padded[kGroup] = {};
  const std::byte* codes = from + k;
  if (count < kGroup) {
    __builtin_memcpy(padded, codes, static_cast<std::size_t>(count));
    codes = padded;
  }
  WidenFp8(codes, to);
}

// One group of columns of kPartLanes outputs, from `output` on; those beyond the last repeat it.
HADAL_INLINE void LoadGroup(const WeightRows& weight, std::int64_t output, std::int64_t last,
                            std::int64_t k, std::int64_t count, GroupRows* rows,
                            PairOfColumns* pairs, int lane) {
  const std::byte* from[kPartLanes];
  const bool direct = weight.format == WeightFormat::kBF16 && count == kGroup;
  for (int i = 0; i < kPartLanes; ++i) {
    const std::int64_t row = output + i < last ? output + i : last - 1;
    if (direct) {
      from[i] = weight.data + row * weight.row_stride_bytes + 2 * k;
    } else {
      ReadCodes(weight, row, k, count, rows->code[i]);
      from[i] = reinterpret_cast<const std::byte*>(rows->code[i]);
    }
  }
  for (int i = 0; i < kGroup / 2; i += 4) {
    Pairs columns[4];
    TransposeFour(from, 4 * i, columns);
    for (int j = 0; j < 4; ++j) {
      Store(pairs[i + j].even + lane, LowHalves(columns[j]));
      Store(pairs[i + j].odd + lane, HighHalves(columns[j]));
    }
  }
}

// Columns [k, k + n) of the outputs of a tile, n <= kTileColumns, padded to whole groups.
HADAL_INLINE void LoadTile(const WeightRows& weight, std::int64_t output, std::int64_t last,
                           std::int64_t k, std::int64_t n, GroupRows* rows, Tile* tile) {
  for (std::int64_t g = 0; g < n; g += kGroup) {
    const std::int64_t count = n - g < kGroup ? n - g : kGroup;
    for (int lane = 0; lane < kTileOutputs && output + lane < last; lane += kPartLanes)
      LoadGroup(weight, output + lane, last, k + g, count, rows, tile->pair + g / 2, lane);
  }
}

}  // namespace
}  // namespace hadal
