// Formats with 32 columns a block: how a tile of a block is loaded, and the step that adds it to
// the sums. After vector_*.h and dot_*.h; see int8.h. Byte layouts: numeric/formats*.cc.
#pragma once

#include "kernels/matmul/int8/rows.h"

namespace hadal {
namespace {

// One block of kLanes rows. Codes are unsigned: the stored number plus kOffset, at most kMost.
struct ScaledTile {
  Int code[8];     // columns 4 c .. 4 c + 3 of each row
  Float scale[2];  // of columns 0 .. 15 and 16 .. 31; one alone where they are the same
  Float minimum;
};

struct ScaledFormat {
  using Tile = ScaledTile;
  static constexpr int kColumns = 32;
  static constexpr int kTogether = 1;      // blocks whose scales are loaded at once
  static constexpr bool kHalves = false;   // two sums of 16 with a scale each
  static constexpr bool kMinimum = false;  // value = scale * code + minimum
};

constexpr int kLowNibbles = 0x0F0F'0F0F;

// 16 bytes: low nibbles are columns 0 .. 15, high ones 16 .. 31.
template <typename Row>
HADAL_INLINE void LoadNibbles(const Row& row, std::int64_t at, Int* code) {
  Int part[4], bytes[4];
  LoadParts(row, at, part);
  TransposeParts(part, bytes);
  for (int c = 0; c < 4; ++c) {
    code[c] = And(bytes[c], Same(kLowNibbles));
    code[4 + c] = And(ShiftRight<4>(bytes[c]), Same(kLowNibbles));
  }
}

// 16 bytes: byte j is column 2 j (low nibble) and 2 j + 1.
template <typename Row>
HADAL_INLINE void LoadNibblePairs(const Row& row, std::int64_t at, Int* code) {
  Int part[4], first[4], last[4];
  LoadParts(row, at, part);
  for (int j = 0; j < 4; ++j) {
    const Int low = And(part[j], Same(kLowNibbles));
    const Int high = And(ShiftRight<4>(part[j]), Same(kLowNibbles));
    first[j] = InterleaveLow(low, high);
    last[j] = InterleaveHigh(low, high);
  }
  TransposeParts(first, code);
  TransposeParts(last, code + 4);
}

// Bit i of each lane's `bits` becomes bit 4 of the code of column i.
HADAL_INLINE void AddFifthBits(Int bits, Int* code) {
  constexpr std::int8_t kFirstByte[16] = {0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12};
  const Int low = ShiftLeft<4>(bits);  // bits 0 .. 3 of a byte to where bits 4 .. 7 are
  for (int c = 0; c < 8; ++c) {
    const Int this_byte = Add(SameTable(kFirstByte), Same(0x0101'0101 * (c / 2)));
    const Int spread =
        And(Shuffle(c % 2 == 0 ? low : bits, this_byte), Same(static_cast<int>(0x8040'2010u)));
    code[c] = Or(code[c], SmallerBytes(spread, Same(0x1010'1010)));
  }
}

// Nibbles to doubled E2M1 values plus 12.
HADAL_INLINE void LookUpFp4(Int* code) {
  constexpr std::int8_t kTable[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};
  for (int c = 0; c < 8; ++c) code[c] = Shuffle(SameTable(kTable), code[c]);
}

// Scale and minimum, f16 each, in the halves of a lane.
HADAL_INLINE void SplitF16(Int both, ScaledTile& tile) {
  tile.scale[0] = FromF16(both);
  tile.minimum = FromF16(ShiftRight<16>(both));
}

// The scales of kBlocks blocks, which begin with them.
template <int kStride, int kBlocks, typename Row>
HADAL_INLINE void ScalesFromF16(const Row& row, std::int64_t at, ScaledTile* tile) {
  Float scale[kBlocks];
  GatherF16s<kStride, kBlocks>(row, at, scale);
  for (int i = 0; i < kBlocks; ++i) tile[i].scale[0] = scale[i];
}

struct Q8_0 : ScaledFormat {
  static constexpr int kMost = kSignedMost, kOffset = kSignedOffset;
  static constexpr int kTogether = 2;
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    tile.scale[0] = GatherF16(rows.data, 34 * b);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScales(const Rows& rows, std::int64_t b, ScaledTile* tile) {
    ScalesFromF16<34, 2>(rows.data, 34 * b, tile);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    for (int half = 0; half < 2; ++half) {
      Int part[4];
      LoadParts(rows.data, 34 * b + 2 + 16 * half, part);
      TransposeParts(part, tile.code + 4 * half);
    }
    for (Int& code : tile.code) code = FromSigned(code);
  }
};

struct Q4_0 : ScaledFormat {
  static constexpr int kMost = 15, kOffset = 8;
  static constexpr int kTogether = 4;
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    tile.scale[0] = GatherF16(rows.data, 18 * b);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScales(const Rows& rows, std::int64_t b, ScaledTile* tile) {
    ScalesFromF16<18, 4>(rows.data, 18 * b, tile);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    LoadNibbles(rows.data, 18 * b + 2, tile.code);
  }
};

struct Q4_1 : ScaledFormat {
  static constexpr int kMost = 15, kOffset = 0;
  static constexpr int kTogether = 4;
  static constexpr bool kMinimum = true;
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    SplitF16(Gather32(rows.data, 20 * b), tile);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScales(const Rows& rows, std::int64_t b, ScaledTile* tile) {
    Int both[4];
    GatherFour32<20>(rows.data, 20 * b, both);
    for (int i = 0; i < 4; ++i) SplitF16(both[i], tile[i]);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    LoadNibbles(rows.data, 20 * b + 4, tile.code);
  }
};

struct Q5_0 : ScaledFormat {
  static constexpr int kMost = 31, kOffset = 16;
  static constexpr int kTogether = 2;
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    tile.scale[0] = GatherF16(rows.data, 22 * b);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScales(const Rows& rows, std::int64_t b, ScaledTile* tile) {
    ScalesFromF16<22, 2>(rows.data, 22 * b, tile);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    LoadNibbles(rows.data, 22 * b + 6, tile.code);
    AddFifthBits(Gather32(rows.data, 22 * b + 2), tile.code);
  }
};

struct Q5_1 : ScaledFormat {
  static constexpr int kMost = 31, kOffset = 0;
  static constexpr bool kMinimum = true;
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    SplitF16(Gather32(rows.data, 24 * b), tile);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    LoadNibbles(rows.data, 24 * b + 8, tile.code);
    AddFifthBits(Gather32(rows.data, 24 * b + 4), tile.code);
  }
};

struct GgufMxfp4 : ScaledFormat {
  static constexpr int kMost = 24, kOffset = 12;
  static constexpr int kTogether = 4;
  // 2^(e - 128): bits (e - 1) << 23, or for e < 2 the subnormals (e + 1) << 21, which are larger
  // than what the other form gives there.
  static HADAL_INLINE Float ScaleOf(Int e) {
    return AsFloat(Larger(ShiftLeft<23>(Subtract(e, Same(1))), ShiftLeft<21>(Add(e, Same(1)))));
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    tile.scale[0] = ScaleOf(Gather8(rows.data, 17 * b));
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScales(const Rows& rows, std::int64_t b, ScaledTile* tile) {
    Int e[4];
    GatherBytes<17, 4>(rows.data, 17 * b, e);
    for (int i = 0; i < 4; ++i) tile[i].scale[0] = ScaleOf(e[i]);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    LoadNibbles(rows.data, 17 * b + 1, tile.code);
    LookUpFp4(tile.code);
  }
};

struct Mxfp4 : ScaledFormat {
  static constexpr int kMost = 24, kOffset = 12;
  static constexpr int kTogether = 4;
  // E8M0: the byte is an exponent; 0 is the subnormal 2^-127 and 255 is NaN, which one bit makes.
  static HADAL_INLINE Float ScaleOf(Int e) {
    const Int bits = ShiftLeft<23>(e), with = Or(bits, Same(0x0040'0000));
    const Int value = IfEqual(e, Zero(), with, IfEqual(e, Same(255), with, bits));
    return Multiply(AsFloat(value), Same(0.5f));
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    tile.scale[0] = ScaleOf(Gather8(rows.scale, b));
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScales(const Rows& rows, std::int64_t b, ScaledTile* tile) {
    const Int four = Gather32(rows.scale, b), byte = Same(0xFF);
    tile[0].scale[0] = ScaleOf(And(four, byte));
    tile[1].scale[0] = ScaleOf(And(ShiftRight<8>(four), byte));
    tile[2].scale[0] = ScaleOf(And(ShiftRight<16>(four), byte));
    tile[3].scale[0] = ScaleOf(ShiftRight<24>(four));
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    LoadNibblePairs(rows.data, 16 * b, tile.code);
    LookUpFp4(tile.code);
  }
};

struct Nvfp4 : ScaledFormat {
  static constexpr int kMost = 24, kOffset = 12;
  static constexpr int kTogether = 2;
  static constexpr bool kHalves = true;

  // Half of the E4M3 number in the low byte of each lane. Moved into place it reads 2^-120 too
  // small, subnormals too, which the product corrects.
  static HADAL_INLINE Float HalfE4m3(Int byte) {
    const Int magnitude = And(byte, Same(0x7F));
    const Float value = Multiply(AsFloat(ShiftLeft<20>(magnitude)), Same(0x1p119f));
    const Int sign = ShiftLeft<24>(And(byte, Same(0x80)));
    const Int nan = IfEqual(magnitude, Same(0x7F), Same(0x7FC0'0000), Zero());
    return AsFloat(Or(Or(AsInt(value), sign), nan));
  }
  template <typename Rows>
  static HADAL_INLINE void SplitScales(Int both, const Rows& rows, ScaledTile& tile) {
    const Float global = Same(rows.global_scale);
    tile.scale[0] = Multiply(HalfE4m3(both), global);
    tile.scale[1] = Multiply(HalfE4m3(ShiftRight<8>(both)), global);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    SplitScales(Gather16(rows.scale, 2 * b), rows, tile);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadScales(const Rows& rows, std::int64_t b, ScaledTile* tile) {
    const Int four = Gather32(rows.scale, 2 * b);
    SplitScales(four, rows, tile[0]);
    SplitScales(ShiftRight<16>(four), rows, tile[1]);
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    LoadNibblePairs(rows.data, 16 * b, tile.code);
    LookUpFp4(tile.code);
  }
};

// Minus the offsets that the codes carry: -kOffset times the sum of the activations of the first
// and of the last 16 columns, or of one of them.
template <int kOffset, bool kFirst, bool kLast>
HADAL_INLINE Int OffsetTerm(const std::int16_t* sums) {
  if constexpr (kOffset == 0) return Zero();
  constexpr std::uint32_t kLow = static_cast<std::uint16_t>(kFirst ? -kOffset : 0);
  constexpr std::uint32_t kHigh = static_cast<std::uint16_t>(kLast ? -kOffset : 0);
  return MultiplyPairs16(Same(static_cast<int>(kLow | kHigh << 16)), SameBytes(sums));
}

// sum[r] += tile * row r, in the order of ops/matmul.h.
template <typename Format, int kRows>
HADAL_INLINE void Step(const ScaledTile& tile, const ActivationBlocks<kRows>& x, Float* sum) {
  Int dot[kRows];
  if constexpr (Format::kHalves) {
    const std::int8_t* upper[kRows];
    for (int r = 0; r < kRows; ++r) upper[r] = x.codes[r] + 16;
    for (int r = 0; r < kRows; ++r) dot[r] = OffsetTerm<Format::kOffset, true, false>(x.sums[r]);
    AddDots<Format::kMost, 4, kRows>(tile.code, x.codes, dot);
    for (int r = 0; r < kRows; ++r)
      sum[r] = MultiplyAdd(ToFloat(dot[r]), Multiply(tile.scale[0], Same(*x.scale[r])), sum[r]);
    for (int r = 0; r < kRows; ++r) dot[r] = OffsetTerm<Format::kOffset, false, true>(x.sums[r]);
    AddDots<Format::kMost, 4, kRows>(tile.code + 4, upper, dot);
    for (int r = 0; r < kRows; ++r)
      sum[r] = MultiplyAdd(ToFloat(dot[r]), Multiply(tile.scale[1], Same(*x.scale[r])), sum[r]);
    return;
  }
  for (int r = 0; r < kRows; ++r) dot[r] = OffsetTerm<Format::kOffset, true, true>(x.sums[r]);
  AddDots<Format::kMost, 8, kRows>(tile.code, x.codes, dot);
  for (int r = 0; r < kRows; ++r)
    sum[r] = MultiplyAdd(ToFloat(dot[r]), Multiply(tile.scale[0], Same(*x.scale[r])), sum[r]);
  if constexpr (Format::kMinimum)
    for (int r = 0; r < kRows; ++r) {
      const Int columns_sum = MultiplyPairs16(Same(0x0001'0001), SameBytes(x.sums[r]));
      sum[r] = MultiplyAdd(Multiply(tile.minimum, Same(*x.scale[r])), ToFloat(columns_sum), sum[r]);
    }
}

}  // namespace
}  // namespace hadal
