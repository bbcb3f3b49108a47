// Formats with 256 columns a block and sub-scales: how a tile is loaded, and the step that adds it
// to the sums. After vector_*.h and dot_*.h; see int8.h. Byte layouts: numeric/formats_k.cc.
#pragma once

#include "kernels/matmul/int8/rows.h"

namespace hadal {
namespace {

// One block of kLanes rows.
struct SuperTile {
  Int code[64];       // unsigned; columns 4 c .. 4 c + 3 of each row
  Int sub_scale[16];  // one for every kSubColumns columns, as AddScaledDots wants it
  // Two 16-bit numbers for every 32 columns, which meet the sums of 16 activations: the
  // sub-minimum twice (Q4_K, Q5_K), or the two sub-scales (Q6_K, whose codes carry 32 too much).
  Int pair[8];
  Float scale;
  Float minimum;
};

struct SuperFormat {
  using Tile = SuperTile;
  static constexpr int kColumns = 256;
  static constexpr int kTogether = 1;
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows&, std::int64_t, SuperTile&) {}
};

// Bytes 16 k .. 16 k + 15 of each row from `at` on, as four vectors.
template <typename Row>
HADAL_INLINE void LoadBytes16(const Row& row, std::int64_t at, Int* out) {
  Int part[4];
  LoadParts(row, at, part);
  TransposeParts(part, out);
}

// Byte kByte of each lane in both 16-bit halves, or bytes kByte and kByte + 1, signed.
template <int kByte, int kNext>
HADAL_INLINE Int BytePair(Int bytes) {
  constexpr std::int8_t kTable[16] = {-1, kByte,     -1, kNext,     -1, kByte + 4,  -1, kNext + 4,
                                      -1, kByte + 8, -1, kNext + 8, -1, kByte + 12, -1, kNext + 12};
  return ShiftRightSigned16<8>(Shuffle(bytes, SameTable(kTable)));
}

HADAL_INLINE void SpreadSubScales(Int bytes, Int* sub_scale) {
  sub_scale[0] = SubScale<0>(bytes);
  sub_scale[1] = SubScale<1>(bytes);
  sub_scale[2] = SubScale<2>(bytes);
  sub_scale[3] = SubScale<3>(bytes);
}

// The common head of Q4_K and Q5_K: d, dmin, and eight sub-scales and sub-minimums of six bits.
template <typename Row>
HADAL_INLINE void LoadHead(const Row& row, std::int64_t at, SuperTile& tile) {
  Int head[4];
  LoadBytes16(row, at, head);
  tile.scale = FromF16(head[0]);
  tile.minimum = FromF16(ShiftRight<16>(head[0]));
  const Int six = Same(0x3F3F'3F3F), low = Same(0x0F0F'0F0F), two = Same(0x3030'3030);
  const Int scales[2] = {And(head[1], six),
                         Or(And(head[3], low), And(ShiftRight<2>(head[1]), two))};
  const Int minimums[2] = {And(head[2], six),
                           Or(And(ShiftRight<4>(head[3]), low), And(ShiftRight<2>(head[2]), two))};
  for (int half = 0; half < 2; ++half) {
    SpreadSubScales(scales[half], tile.sub_scale + 4 * half);
    tile.pair[4 * half] = BytePair<0, 0>(minimums[half]);
    tile.pair[4 * half + 1] = BytePair<1, 1>(minimums[half]);
    tile.pair[4 * half + 2] = BytePair<2, 2>(minimums[half]);
    tile.pair[4 * half + 3] = BytePair<3, 3>(minimums[half]);
  }
}

struct Q4_K : SuperFormat {
  static constexpr int kMost = 15, kSubColumns = 32;
  static constexpr bool kMinimum = true;
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, SuperTile& tile) {
    LoadHead(rows.data, 144 * b, tile);
    for (int k = 0; k < 8; ++k) {
      Int bytes[4];
      LoadBytes16(rows.data, 144 * b + 16 + 16 * k, bytes);
      Int* code = tile.code + 16 * (k / 2) + 4 * (k % 2);
      for (int c = 0; c < 4; ++c) {
        code[c] = And(bytes[c], Same(0x0F0F'0F0F));
        code[8 + c] = And(ShiftRight<4>(bytes[c]), Same(0x0F0F'0F0F));
      }
    }
  }
};

struct Q5_K : SuperFormat {
  static constexpr int kMost = 31, kSubColumns = 32;
  static constexpr bool kMinimum = true;

  // Nibbles of the columns 64 kGroup .. 64 kGroup + 63; bits 2 kGroup and 2 kGroup + 1 of `fifth`
  // belong to the low and to the high ones.
  template <int kGroup, typename Row>
  static HADAL_INLINE void LoadGroup(const Row& row, std::int64_t at, const Int* fifth, Int* code) {
    const Int low = Same(0x0F0F'0F0F), bit = Same(0x1010'1010);
    for (int k = 0; k < 2; ++k) {
      Int bytes[4];
      LoadBytes16(row, at + 16 * k, bytes);
      for (int c = 0; c < 4; ++c) {
        const Int f = fifth[4 * k + c];
        code[4 * k + c] = Or(And(bytes[c], low), And(ShiftTo4<2 * kGroup>(f), bit));
        code[8 + 4 * k + c] =
            Or(And(ShiftRight<4>(bytes[c]), low), And(ShiftTo4<2 * kGroup + 1>(f), bit));
      }
    }
  }
  // Bit kFrom to bit 4 of each byte (other bits are left over).
  template <int kFrom>
  static HADAL_INLINE Int ShiftTo4(Int a) {
    if constexpr (kFrom < 4) return ShiftLeft<4 - kFrom>(a);
    return ShiftRight<(kFrom < 4 ? 0 : kFrom - 4)>(a);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, SuperTile& tile) {
    const std::int64_t at = 176 * b;
    LoadHead(rows.data, at, tile);
    Int fifth[8];
    LoadBytes16(rows.data, at + 16, fifth);
    LoadBytes16(rows.data, at + 32, fifth + 4);
    LoadGroup<0>(rows.data, at + 48, fifth, tile.code);
    LoadGroup<1>(rows.data, at + 80, fifth, tile.code + 16);
    LoadGroup<2>(rows.data, at + 112, fifth, tile.code + 32);
    LoadGroup<3>(rows.data, at + 144, fifth, tile.code + 48);
  }
};

struct Q6_K : SuperFormat {
  static constexpr int kMost = 63, kSubColumns = 16;
  static constexpr bool kMinimum = false;

  // Half of a block: 64 bytes of low nibbles, 32 bytes of upper bit pairs.
  template <typename Row>
  static HADAL_INLINE void LoadHalf(const Row& row, std::int64_t at, std::int64_t upper_at,
                                    Int* code) {
    const Int low = Same(0x0F0F'0F0F), pair = Same(0x3030'3030);
    for (int k = 0; k < 2; ++k) {
      Int a[4], b[4], upper[4];
      LoadBytes16(row, at + 16 * k, a);
      LoadBytes16(row, at + 32 + 16 * k, b);
      LoadBytes16(row, upper_at + 16 * k, upper);
      for (int c = 0; c < 4; ++c) {
        Int* to = code + 4 * k + c;
        to[0] = Or(And(a[c], low), And(ShiftLeft<4>(upper[c]), pair));
        to[8] = Or(And(b[c], low), And(ShiftLeft<2>(upper[c]), pair));
        to[16] = Or(And(ShiftRight<4>(a[c]), low), And(upper[c], pair));
        to[24] = Or(And(ShiftRight<4>(b[c]), low), And(ShiftRight<2>(upper[c]), pair));
      }
    }
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, SuperTile& tile) {
    const std::int64_t at = 210 * b;
    LoadHalf(rows.data, at, at + 128, tile.code);
    LoadHalf(rows.data, at + 64, at + 160, tile.code + 32);
    Int scales[4];
    LoadBytes16(rows.data, at + 192, scales);
    for (int k = 0; k < 4; ++k) {
      SpreadSubScales(scales[k], tile.sub_scale + 4 * k);
      tile.pair[2 * k] = BytePair<0, 1>(scales[k]);
      tile.pair[2 * k + 1] = BytePair<2, 3>(scales[k]);
    }
    tile.scale = GatherF16(rows.data, at + 208);
  }
};

// sum[r] += tile * row r, in the order of ops/matmul.h.
template <typename Format, int kRows>
HADAL_INLINE void Step(const SuperTile& tile, const ActivationBlocks<kRows>& x, Float* sum) {
  constexpr int kVectors = Format::kSubColumns / 4;
  Int total[kRows], term[kRows];
  const std::int8_t* codes[kRows];
  for (int r = 0; r < kRows; ++r) {
    total[r] = term[r] = Zero();
    codes[r] = x.codes[r];
  }
  for (int sub = 0; sub < 64 / kVectors; ++sub) {
    AddScaledDots<Format::kMost, kVectors, kRows>(tile.code + sub * kVectors, tile.sub_scale[sub],
                                                  codes, total);
    for (int r = 0; r < kRows; ++r) codes[r] += Format::kSubColumns;
  }
  for (int k = 0; k < 8; ++k)
    for (int r = 0; r < kRows; ++r)
      term[r] = Add(term[r], MultiplyPairs16(tile.pair[k], SameBytes(x.sums[r] + 2 * k)));
  for (int r = 0; r < kRows; ++r) {
    const Float scale = Same(*x.scale[r]);
    if constexpr (!Format::kMinimum) total[r] = Subtract(total[r], ShiftLeft<5>(term[r]));
    sum[r] = MultiplyAdd(ToFloat(total[r]), Multiply(tile.scale, scale), sum[r]);
    if constexpr (Format::kMinimum)
      sum[r] = NegativeMultiplyAdd(ToFloat(term[r]), Multiply(tile.minimum, scale), sum[r]);
  }
}

}  // namespace
}  // namespace hadal
