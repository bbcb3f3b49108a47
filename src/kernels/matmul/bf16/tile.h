// Weights of kPartLanes outputs, transposed: one output a lane. After simd/part_*.h and
// pairs_*.h; see bf16.h.
#pragma once

#include "kernels/flush_denormals.h"
#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

constexpr int kGroup = 32;  // columns of a chain
constexpr int kGroupPairs = kGroup / 2;

// How a format's codes fill lanes of 32 bits. Split hands `pair` the even and odd columns of
// neighbouring pairs, `kPairs` for each register. What a format cannot say in single weights, it
// says of whole rows at the end: Finish turns the sums of their lanes.
struct Bf16Codes {
  using Mode = FlushDenormals;
  static constexpr int kBytes = 2;
  static constexpr int kPairs = 1;
  template <typename Pair>
  HADAL_INLINE void Split(Pairs codes, int first, Pair pair) {
    pair(first, LowHalves(codes), HighHalves(codes));
  }
  HADAL_INLINE Part Finish(Part sum) const { return sum; }
};
struct Fp8Codes {
  using Mode =
      FlushDenormalResults;  // denormal activations and scales become zeros as they are read
  static constexpr int kBytes = 1;
  static constexpr int kPairs = 2;
  static constexpr float kBitsToValue = 0x1p120f;
  Pairs most = NoCodes();
  // The four columns of a lane, each a kBitsToValue-th of its value.
  HADAL_INLINE void Bits(Pairs codes, Part (&column)[4]) {
    Fp8Bits(codes, column);
    most = LargerCodes(most, codes);
  }
  template <typename Pair>
  HADAL_INLINE void Split(Pairs codes, int first, Pair pair) {
    Part column[4];
    Bits(codes, column);
    for (Part& value : column) value = Multiply(value, Same(kBitsToValue));
    pair(first, column[0], column[1]);
    pair(first + 1, column[2], column[3]);
  }
  // A row with a NaN has no other sum.
  HADAL_INLINE Part Finish(Part sum) const { return Or(sum, NanLanes(most)); }
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

// pair(i, even, odd) for the pairs i of one step, whose codes begin at byte `at` of each row. With
// kTurns, where a block holds two groups they take turns, so that their chains need not wait.
template <bool kTurns = false, typename Codes, typename Pair>
HADAL_INLINE void EachPair(Codes& codes, const OutputRows& rows, std::int64_t at, Pair pair) {
  constexpr int kBlockBytes = kPartLanes * 4;
  constexpr int kBlocks = StepColumns<Codes>() * Codes::kBytes / kBlockBytes;
  for (int b = 0; b < kBlocks; ++b) {
    Pairs column[kPartLanes];
    TransposeBlock(rows.row, at + b * kBlockBytes, column);
    constexpr bool kTwo = kTurns && kPartLanes * Codes::kPairs == 2 * kGroupPairs;
#pragma GCC unroll 16
    for (int j = 0; j < kPartLanes; ++j) {
      const int at_turn = kTwo ? j % 2 * (kPartLanes / 2) + j / 2 : j;
      codes.Split(column[at_turn], (b * kPartLanes + at_turn) * Codes::kPairs, pair);
    }
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
