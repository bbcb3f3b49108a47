// Products of many rows on matrix tiles (simd/tile.h), the same for the instructions and for their
// emulation. After a vector_*.h, dot_pairs.h, scaled.h, super.h and drive.h; see int8.h.
//
// Sixteen rows of activations meet sixteen outputs: activations are tile rows where they lie, and
// four columns of every output are a row of a tile of weights, signed, without the offset that
// their codes carry. Integers are exact, so the sums are those of the other levels; the fused steps
// are done with vectors, in the same order. Activations are read as far as sixteen rows go, beyond
// job.x.rows too (kernel.h); nothing is done with what comes of it.
#pragma once

#include "kernels/simd/tile.h"

namespace hadal {
namespace {

constexpr int kSixteen = 16;
constexpr int kTileVectors = kSixteen / kLanes;  // of sixteen outputs

// What one row of sums has, by rows of activations.
using TileDots = Int[kSixteen][kTileVectors];
using TileSums = Float[kSixteen][kTileVectors];

// A block of columns of up to sixteen rows of activations. A pointer for every four rows: three
// strides more are as much as an address can say.
struct TileActivations {
  const std::int8_t* codes;
  std::int64_t code_stride;
  const float* scales[4];
  std::int64_t scale_stride;
  const std::int16_t* sums[4];
  std::int64_t sums_stride;

  HADAL_INLINE float ScaleOf(int r) const { return scales[r / 4][r % 4 * scale_stride]; }
  HADAL_INLINE const std::int16_t* SumsOf(int r) const { return sums[r / 4] + r % 4 * sums_stride; }
};

// --- Formats with 32 columns a block: columns that share a scale are a tile -------------------

template <typename Format>
struct ScaledOnTiles {
  static constexpr int kTileColumns = Format::kHalves ? 16 : 32;
  static constexpr int kDots = Format::kHalves ? 2 : 1;

  // One block of sixteen outputs.
  struct Kept {
    Int code[8][kTileVectors];
    Float scale[kDots][kTileVectors];
    Float minimum[kTileVectors];
  };

  static HADAL_INLINE void Keep(const TileRows& rows, std::int64_t b, int v, Kept& kept) {
    ScaledTile tile;
    Format::LoadScale(rows, b, tile);
    Format::LoadCodes(rows, b, tile);
    for (int c = 0; c < 8; ++c)
      kept.code[c][v] = Subtract8(tile.code[c], Same(Format::kOffset * 0x0101'0101));
    for (int i = 0; i < kDots; ++i) kept.scale[i][v] = tile.scale[i];
    if constexpr (Format::kMinimum) kept.minimum[v] = tile.minimum;
  }

  template <typename Tiles>
  static HADAL_INLINE void Dot(const Kept& kept, const std::int8_t* x, std::int64_t stride,
                               TileDots* dots) {
    DotPart<Tiles, 0>(kept, x, stride, dots);
    if constexpr (kDots == 2) DotPart<Tiles, 1>(kept, x, stride, dots);
  }
  template <typename Tiles, int kPart>
  static HADAL_INLINE void DotPart(const Kept& kept, const std::int8_t* x, std::int64_t stride,
                                   TileDots* dots) {
    Tiles::template Zero<kPart>();
    Tiles::template Load<3>(x + kPart * kTileColumns, stride);
    Tiles::template Load<4>(kept.code[kPart * kTileColumns / 4], 64);
    Tiles::template DotInt8<kPart, 3, 4>();
    Tiles::template Store<kPart>(dots[kPart], 64);
  }

  static HADAL_INLINE void Add(const Kept& kept, const TileActivations& x, const TileDots* dots,
                               int r, Float* sum) {
    const Float d = Same(x.ScaleOf(r));
    for (int i = 0; i < kDots; ++i)
      for (int v = 0; v < kTileVectors; ++v)
        sum[v] = MultiplyAdd(ToFloat(dots[i][r][v]), Multiply(kept.scale[i][v], d), sum[v]);
    if constexpr (Format::kMinimum) {
      const Float columns_sum = ToFloat(MultiplyPairs16(Same(0x0001'0001), SameBytes(x.SumsOf(r))));
      for (int v = 0; v < kTileVectors; ++v)
        sum[v] = MultiplyAdd(Multiply(kept.minimum[v], d), columns_sum, sum[v]);
    }
  }
};

// --- Formats with 256 columns a block ---------------------------------------------------------

// A code times its sub-scale has at most thirteen bits: its lower seven are one tile and the others
// another, so that whole tiles of 64 columns add up in the registers and no dot is multiplied
// afterwards. Sub-minimums stand once for each of their columns.
template <typename Format>
struct SuperOnTiles {
  static constexpr int kTileColumns = 64;
  static constexpr int kDots = Format::kMinimum ? 3 : 2;

  struct Kept {
    Int code[kDots][64][kTileVectors];  // lower bits, upper bits, sub-minimums
    Float scale[kTileVectors];
    Float minimum[kTileVectors];
  };

  static HADAL_INLINE void Keep(const TileRows& rows, std::int64_t b, int v, Kept& kept) {
    constexpr int kShare = Format::kSubColumns / 4;  // vectors with one sub-scale
    constexpr int kOffset = Format::kMinimum ? 0 : 32;
    SuperTile tile;
    Format::LoadScale(rows, b, tile);
    Format::LoadCodes(rows, b, tile);
    const Int lower = Same(0x007F'007F), byte = Same(0x00FF'00FF);
    for (int c = 0; c < 64; ++c) {
      const Int code = Subtract8(tile.code[c], Same(kOffset * 0x0101'0101));
      const Int sub_scale = tile.sub_scale[c / kShare];
      const Int even = Multiply16(ShiftRightSigned16<8>(ShiftLeft<8>(code)), sub_scale);
      const Int odd = Multiply16(ShiftRightSigned16<8>(code), sub_scale);
      kept.code[0][c][v] = Or(And(even, lower), ShiftLeft<8>(And(odd, lower)));
      kept.code[1][c][v] = Or(And(ShiftRightSigned16<7>(even), byte),
                              ShiftLeft<8>(And(ShiftRightSigned16<7>(odd), byte)));
      if constexpr (Format::kMinimum) {
        const Int minimum = tile.pair[c / 8];
        kept.code[2][c][v] = Or(minimum, ShiftLeft<8>(minimum));
      }
    }
    kept.scale[v] = tile.scale;
    if constexpr (Format::kMinimum) kept.minimum[v] = tile.minimum;
  }

  template <typename Tiles>
  static HADAL_INLINE void Dot(const Kept& kept, const std::int8_t* x, std::int64_t stride,
                               TileDots* dots) {
    Tiles::template Zero<0>();
    Tiles::template Zero<1>();
    if constexpr (kDots == 3) Tiles::template Zero<2>();
    for (int k = 0; k < 4; ++k) {
      Tiles::template Load<3>(x + k * kTileColumns, stride);
      Tiles::template Load<4>(kept.code[0][16 * k], 64);
      Tiles::template DotInt8<0, 3, 4>();
      Tiles::template Load<5>(kept.code[1][16 * k], 64);
      Tiles::template DotInt8<1, 3, 5>();
      if constexpr (kDots == 3) {
        Tiles::template Load<6>(kept.code[2][16 * k], 64);
        Tiles::template DotInt8<2, 3, 6>();
      }
    }
    Tiles::template Store<0>(dots[0], 64);
    Tiles::template Store<1>(dots[1], 64);
    if constexpr (kDots == 3) Tiles::template Store<2>(dots[2], 64);
  }

  static HADAL_INLINE void Add(const Kept& kept, const TileActivations& x, const TileDots* dots,
                               int r, Float* sum) {
    const Float d = Same(x.ScaleOf(r));
    for (int v = 0; v < kTileVectors; ++v) {
      const Int total = hadal::Add(dots[0][r][v], ShiftLeft<7>(dots[1][r][v]));
      sum[v] = MultiplyAdd(ToFloat(total), Multiply(kept.scale[v], d), sum[v]);
      if constexpr (Format::kMinimum)
        sum[v] = NegativeMultiplyAdd(ToFloat(dots[2][r][v]), Multiply(kept.minimum[v], d), sum[v]);
    }
  }
};

template <typename Format, typename Tile = typename Format::Tile>
struct OnTilesOf {
  using Type = ScaledOnTiles<Format>;
};
template <typename Format>
struct OnTilesOf<Format, SuperTile> {
  using Type = SuperOnTiles<Format>;
};
template <typename Format>
using OnTiles = typename OnTilesOf<Format>::Type;

// --- The loops --------------------------------------------------------------------------------

constexpr std::int64_t TileRun(std::int64_t columns) { return kKeptColumns / columns; }

// What a job keeps in its scratch.
template <typename Format>
struct TileWork {
  typename OnTiles<Format>::Kept kept[TileRun(Format::kColumns)];
  TileDots dots[2][OnTiles<Format>::kDots];  // of blocks in turn
};

// Tile registers: 0 to 2 sums, 3 activations, 4 to 6 weights.
template <int kColumns>
HADAL_INLINE TileConfig ConfigOf() {
  TileConfig config;
  for (int tile = 0; tile < 7; ++tile) {
    config.rows[tile] = tile <= 3 ? kSixteen : kColumns / 4;
    config.row_bytes[tile] = tile == 3 ? kColumns : 64;
  }
  return config;
}

template <int kColumns>
HADAL_INLINE TileActivations ActivationsAt(const PreparedActivations& x, std::int64_t row,
                                           std::int64_t block) {
  TileActivations at;
  at.code_stride = x.code_stride;
  at.scale_stride = x.columns / kColumns;
  at.sums_stride = x.columns / 16;
  at.codes = static_cast<const std::int8_t*>(x.codes) + row * x.code_stride + block * kColumns;
  for (int i = 0; i < 4; ++i) {
    at.scales[i] = x.scales + (row + 4 * i) * at.scale_stride + block;
    at.sums[i] = x.sums + (row + 4 * i) * at.sums_stride + block * (kColumns / 16);
  }
  return at;
}
template <int kColumns>
HADAL_INLINE void Advance(TileActivations& x) {
  x.codes += kColumns;
  for (int i = 0; i < 4; ++i) {
    x.scales[i] += 1;
    x.sums[i] += kColumns / 16;
  }
}

// The lanes of vector v of sixteen outputs.
HADAL_INLINE TileOutputs VectorOf(const TileOutputs& to, int v) {
  const int begin = to.first - v * kLanes, end = begin + to.count;
  const int first = begin > 0 ? begin : 0;
  return {to.y + v * kLanes, first, (end < kLanes ? end : kLanes) - first};
}

// Adds `blocks` kept blocks, of which the first is block `first`, to the sums of sixteen rows in y,
// or of fewer (kWhole: of sixteen). The dots of a block are on their way while those of the one
// before are scaled.
template <typename Tiles, typename Format, bool kWhole>
void AddOnTiles(const MatMulJob& job, std::int64_t row, const TileOutputs& to, std::int64_t first,
                std::int64_t blocks) noexcept {
  using Form = OnTiles<Format>;
  auto& work = *reinterpret_cast<TileWork<Format>*>(job.scratch);
  const int rows = kWhole ? kSixteen : static_cast<int>(job.x.rows - row);
  TileActivations x = ActivationsAt<Format::kColumns>(job.x, row, first);
  TileOutputs part[kTileVectors];
  for (int v = 0; v < kTileVectors; ++v) {
    part[v] = VectorOf(to, v);
    part[v].y += row * job.y_stride;
  }
  TileSums sum;
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < kTileVectors; ++v)
      sum[r][v] =
          first == 0 ? ZeroF() : Load(part[v].y + r * job.y_stride, part[v].first, part[v].count);
  Form::template Dot<Tiles>(work.kept[0], x.codes, x.code_stride, work.dots[0]);
  for (std::int64_t b = 0; b < blocks; ++b) {
    if (b + 1 < blocks)
      Form::template Dot<Tiles>(work.kept[b + 1], x.codes + Format::kColumns, x.code_stride,
                                work.dots[(b + 1) % 2]);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) Form::Add(work.kept[b], x, work.dots[b % 2], r, sum[r]);
    Advance<Format::kColumns>(x);
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < kTileVectors; ++v)
      Store(part[v].y + r * job.y_stride, part[v].first, part[v].count, sum[r][v]);
}

// A run of blocks is loaded once and used by all rows; sums wait in y between runs.
template <typename Tiles, typename Format>
void OutputsOnTiles(const MatMulJob& job, const TileRows* rows, const TileOutputs& to) noexcept {
  constexpr std::int64_t kRun = TileRun(Format::kColumns);
  static_assert(sizeof(TileWork<Format>) <= kMatMulScratchBytes);
  auto& work = *reinterpret_cast<TileWork<Format>*>(job.scratch);
  const std::int64_t blocks = job.weight.columns / Format::kColumns;
  NextTile next = NextTileOf(job.weight, rows[0], blocks);
  for (std::int64_t first = 0; first < blocks; first += kRun) {
    const std::int64_t run = blocks - first < kRun ? blocks - first : kRun;
    for (std::int64_t b = 0; b < run; ++b) {
      PrefetchPart(next);
      for (int v = 0; v < kTileVectors; ++v)
        OnTiles<Format>::Keep(rows[v], first + b, v, work.kept[b]);
    }
    std::int64_t row = 0;
    for (; row + kSixteen <= job.x.rows; row += kSixteen)
      AddOnTiles<Tiles, Format, true>(job, row, to, first, run);
    if (row < job.x.rows) AddOnTiles<Tiles, Format, false>(job, row, to, first, run);
  }
}

// Sixteen weight rows from `first` on, or this row as often.
struct SixteenRows {
  TileRows part[kTileVectors];
  HADAL_INLINE SixteenRows(const WeightRows& weight, std::int64_t first, bool alone) {
    for (int v = 0; v < kTileVectors; ++v)
      part[v] = RowsOf(weight, alone ? first : first + v * kLanes, alone);
  }
};

// The last outputs are cut as VectorProduct cuts them.
template <typename Tiles, typename Format>
void ProductOnTiles(const MatMulJob& job) noexcept {
  const TileConfig config = ConfigOf<OnTiles<Format>::kTileColumns>();
  Tiles::Configure(config);
  const auto run = [&job](std::int64_t first, bool alone, const TileOutputs& to) {
    const SixteenRows rows(job.weight, first, alone);
    OutputsOnTiles<Tiles, Format>(job, rows.part, to);
  };
  std::int64_t output = job.first_output;
  for (; output + kSixteen <= job.last_output; output += kSixteen)
    run(output, false, {job.y + output, 0, kSixteen});
  const int left = static_cast<int>(job.last_output - output);
  const std::int64_t first = job.last_output - kSixteen;
  if (left > 0 && first >= 0) {
    run(first, false, {job.y + first, kSixteen - left, left});
    output = job.last_output;
  }
  for (; output < job.last_output; ++output) run(output, true, {job.y + output, 0, 1});
  Tiles::Release();
}

}  // namespace
}  // namespace hadal
