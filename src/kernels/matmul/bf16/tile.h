// Weights of kPartLanes outputs, transposed: one output a lane. After simd/part_*.h, simd/fp8_*.h
// and pairs_*.h; see bf16.h.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

constexpr int kGroup = 32;  // columns of a chain
constexpr int kGroupPairs = kGroup / 2;

// How a format's codes fill lanes of 32 bits. Split hands `pair` the even and odd columns of
// neighbouring pairs, `kPairs` for each register.
struct Bf16Codes {
  static constexpr int kBytes = 2;
  static constexpr int kPairs = 1;
  template <typename Pair>
  HADAL_INLINE void Split(Pairs codes, int first, Pair pair) const {
    pair(first, LowHalves(codes), HighHalves(codes));
  }
};
struct Fp8Codes {
  static constexpr int kBytes = 1;
  static constexpr int kPairs = 2;
  Fp8Table table = MakeFp8Table();
  template <typename Pair>
  HADAL_INLINE void Split(Pairs codes, int first, Pair pair) const {
    const Pairs even = Fp8ToBf16(table, codes);            // columns 0 and 2 of four
    const Pairs odd = Fp8ToBf16(table, HighBytes(codes));  // columns 1 and 3
    pair(first, LowHalves(even), LowHalves(odd));
    pair(first + 1, HighHalves(even), HighHalves(odd));
  }
};

// Columns that one transposition brings, or one group, whichever is more.
template <typename Codes>
constexpr int StepColumns() {
  constexpr int block = kPartLanes * 4 / Codes::kBytes;
  return block > kGroup ? block : kGroup;
}

// The rows of kPartLanes outputs; those beyond the last repeat it.
struct OutputRows {
  const std::byte* row[kPartLanes];
};
HADAL_INLINE OutputRows RowsFrom(const WeightRows& weight, std::int64_t output, std::int64_t last) {
  OutputRows rows;
  for (int i = 0; i < kPartLanes; ++i) {
    const std::int64_t at = output + i < last ? output + i : last - 1;
    rows.row[i] = weight.data + at * weight.row_stride_bytes;
  }
  return rows;
}

// pair(i, even, odd) for the pairs i of one step, whose codes begin at byte `at` of each row.
template <typename Codes, typename Pair>
HADAL_INLINE void EachPair(const Codes& codes, const OutputRows& rows, std::int64_t at, Pair pair) {
  constexpr int kBlockBytes = kPartLanes * 4;
  constexpr int kBlocks = StepColumns<Codes>() * Codes::kBytes / kBlockBytes;
  for (int b = 0; b < kBlocks; ++b) {
    Pairs column[kPartLanes];
    TransposeBlock(rows.row, at + b * kBlockBytes, column);
    for (int j = 0; j < kPartLanes; ++j)
      codes.Split(column[j], (b * kPartLanes + j) * Codes::kPairs, pair);
  }
}

// The last columns of a range, copied and padded with zeros to a step.
struct PaddedRows {
  std::byte code[kPartLanes][64];
};
template <typename Codes>
HADAL_INLINE OutputRows Pad(const OutputRows& rows, std::int64_t k, std::int64_t count,
                            PaddedRows* padded) {
  static_assert(StepColumns<Codes>() * Codes::kBytes <= 64);
  OutputRows copies;
  __builtin_memset(padded, 0, sizeof(PaddedRows));
  for (int i = 0; i < kPartLanes; ++i) {
    __builtin_memcpy(padded->code[i], rows.row[i] + k * Codes::kBytes,
                     static_cast<std::size_t>(count * Codes::kBytes));
    copies.row[i] = padded->code[i];
  }
  return copies;
}

}  // namespace
}  // namespace hadal
