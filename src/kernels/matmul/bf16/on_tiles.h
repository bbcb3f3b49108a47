// Products of many rows on matrix tiles (simd/tile.h), the same for the instructions and for their
// emulation. After simd/part_*.h, pairs_*.h, tile.h and scales.h; see bf16.h.
//
// A dot of tiles is the group of 32 columns in ops/matmul.h, so that nothing but the step after a
// scale block is left for vectors. 32 rows of activations meet 32 outputs: two tiles of each give
// four of sums. Activations are tile rows where they lie, and are read as far as sixteen rows go,
// beyond job.x.rows too (kernel.h); nothing is done with what comes of it.
#pragma once

#include "kernels/simd/tile.h"

namespace hadal {
namespace {

constexpr int kHalf = 16;  // rows or outputs of a tile
constexpr int kTileOutputs = 2 * kHalf;
constexpr std::int64_t kKeptColumns = 512;  // of weights, while every row passes over them
constexpr std::int64_t kKeptGroups = kKeptColumns / kGroup;

// A group of sixteen outputs: row i has columns 2 i and 2 i + 1 of each.
struct WeightTile {
  std::uint32_t pair[kGroupPairs][kHalf];
};

// What a job keeps in its scratch.
struct TileWork {
  WeightTile weight[kKeptGroups][2];
  float scale[kKeptGroups][kTileOutputs];  // by scale block
  float sums[kTileOutputs][kTileOutputs];  // by rows: a scale block's, or those at an edge
  PaddedRows padded;
};
static_assert(sizeof(TileWork) <= kMatMulScratchBytes);

// 32 outputs, from `output` to `last` as far as they go, and columns [k, k + n) of them.
struct TilePiece {
  std::int64_t output, last;
  std::int64_t k, n;
};

// Whether no group and no scale block is cut.
HADAL_INLINE bool FitsTiles(const WeightRows& weight) {
  if (weight.columns % kGroup != 0) return false;
  if (weight.format != WeightFormat::kFp8Block) return true;
  return weight.block % kGroup == 0 && kKeptColumns % weight.block == 0;
}

// Tile registers: 0 to 3 sums (2 * half of the rows + half of the outputs), 4 and 5 activations, 6
// and 7 weights.
HADAL_INLINE TileConfig WholeTiles() {
  TileConfig config;
  for (int tile = 0; tile < kTileRegisters; ++tile) {
    config.rows[tile] = 16;
    config.row_bytes[tile] = 64;
  }
  return config;
}

template <typename Codes>
void LoadWeights(const WeightRows& weight, const TilePiece& piece, Codes* codes, TileWork* work) {
  constexpr int kStep = StepColumns<Codes>();
  for (int lane = 0; lane < kTileOutputs; lane += kPartLanes) {
    const OutputRows rows = RowsFrom(weight, piece.output + lane, piece.last);
    for (std::int64_t i = 0; i < piece.n; i += kStep) {
      AskAhead(weight, rows, (piece.k + i) * Codes::kBytes, kTileOutputs);
      const auto keep = [&](int pair, Part even, Part odd) {
        const std::int64_t at = i / 2 + pair;
        WeightTile& tile = work->weight[at / kGroupPairs][lane / kHalf];
        StorePairs(&tile.pair[at % kGroupPairs][lane % kHalf], even, odd);
      };
      Codes& half = codes[lane / kPartLanes];
      if (i + kStep <= piece.n)
        EachPair(half, rows, (piece.k + i) * Codes::kBytes, keep);
      else
        EachPair(half, Pad<Codes>(rows, piece.k + i, piece.n - i, &work->padded), 0, keep);
    }
  }
  if (weight.format != WeightFormat::kFp8Block) return;
  const auto scales = ScalesFrom<kTileOutputs>(weight, piece.output, piece.last);
  for (std::int64_t i = 0; i * weight.block < piece.n; ++i)
    ReadScales(weight, scales, piece.k / weight.block + i, work->scale[i]);
}

// Sums += `groups` groups from `first` on of 16 kHalves rows, which begin at x.
template <typename Tiles, int kHalves>
HADAL_INLINE void DotGroups(const TileWork& work, std::int64_t first, std::int64_t groups,
                            const std::uint16_t* x, std::int64_t stride) {
  for (std::int64_t g = first; g < first + groups; ++g, x += kGroup) {
    Tiles::template Load<4>(x, 2 * stride);
    Tiles::template Load<6>(&work.weight[g][0], 64);
    Tiles::template Load<7>(&work.weight[g][1], 64);
    Tiles::template DotBf16<0, 4, 6>();
    Tiles::template DotBf16<1, 4, 7>();
    if constexpr (kHalves == 2) {
      Tiles::template Load<5>(x + kHalf * stride, 2 * stride);
      Tiles::template DotBf16<2, 5, 6>();
      Tiles::template DotBf16<3, 5, 7>();
    }
  }
}

template <typename Tiles, int kHalves>
HADAL_INLINE void ZeroSums() {
  Tiles::template Zero<0>();
  Tiles::template Zero<1>();
  if constexpr (kHalves == 1) return;
  Tiles::template Zero<2>();
  Tiles::template Zero<3>();
}
template <typename Tiles, int kHalves>
HADAL_INLINE void LoadSums(const float* from, std::int64_t stride) {
  Tiles::template Load<0>(from, 4 * stride);
  Tiles::template Load<1>(from + kHalf, 4 * stride);
  if constexpr (kHalves == 1) return;
  Tiles::template Load<2>(from + kHalf * stride, 4 * stride);
  Tiles::template Load<3>(from + kHalf * stride + kHalf, 4 * stride);
}
template <typename Tiles, int kHalves>
HADAL_INLINE void StoreSums(float* to, std::int64_t stride) {
  Tiles::template Store<0>(to, 4 * stride);
  Tiles::template Store<1>(to + kHalf, 4 * stride);
  if constexpr (kHalves == 1) return;
  Tiles::template Store<2>(to + kHalf * stride, 4 * stride);
  Tiles::template Store<3>(to + kHalf * stride + kHalf, 4 * stride);
}

// Rows [row, row + rows) of activations, at most 16 kHalves, and where their sums wait.
struct TileRowsOf {
  const std::uint16_t* x;
  std::int64_t x_stride;
  std::int64_t rows;
  float* y;
  std::int64_t y_stride;
};

// BF16: sums stay in registers for the whole piece. At an edge of the product they take the way
// through memory that may be written beyond it.
template <typename Tiles, int kHalves>
void AddPlain(const TilePiece& piece, const TileRowsOf& at, TileWork* work) {
  const std::int64_t count = Smaller(piece.last - piece.output, kTileOutputs);
  const bool whole = at.rows == kHalves * kHalf && count == kTileOutputs;
  float* sums = whole ? at.y : work->sums[0];
  const std::int64_t stride = whole ? at.y_stride : kTileOutputs;
  const auto bytes = static_cast<std::size_t>(count) * sizeof(float);
  if (piece.k == 0) {
    ZeroSums<Tiles, kHalves>();
  } else {
    for (std::int64_t r = 0; !whole && r < at.rows; ++r)
      __builtin_memcpy(work->sums[r], at.y + r * at.y_stride, bytes);
    LoadSums<Tiles, kHalves>(sums, stride);
  }
  DotGroups<Tiles, kHalves>(*work, 0, piece.n / kGroup, at.x, at.x_stride);
  StoreSums<Tiles, kHalves>(sums, stride);
  for (std::int64_t r = 0; !whole && r < at.rows; ++r)
    __builtin_memcpy(at.y + r * at.y_stride, work->sums[r], bytes);
}

// y = fma(partial, scale, y) after each scale block; kLast: the last piece, which finishes y.
template <typename Tiles, int kHalves, typename Codes>
void AddScaled(const WeightRows& weight, const TilePiece& piece, const TileRowsOf& at,
               const Codes* codes, TileWork* work) {
  const std::int64_t end = piece.k + piece.n;
  for (std::int64_t k = piece.k; k < end; k += weight.block) {
    const std::int64_t first = (k - piece.k) / kGroup;
    const std::int64_t groups = Smaller(weight.block, end - k) / kGroup;
    ZeroSums<Tiles, kHalves>();
    DotGroups<Tiles, kHalves>(*work, first, groups, at.x + first * kGroup, at.x_stride);
    StoreSums<Tiles, kHalves>(work->sums[0], kTileOutputs);
    const float* scale = work->scale[(k - piece.k) / weight.block];
    const bool finished = k + weight.block >= weight.columns;
    for (int lane = 0; lane < kTileOutputs; lane += kPartLanes) {
      const Codes& half = codes[lane / kPartLanes];
      const std::int64_t left = piece.last - piece.output - lane;
      const Part by = Load(scale + lane);
      float* y = at.y + lane;
      for (std::int64_t r = 0; r < at.rows; ++r, y += at.y_stride) {
        const Part before = k == 0 ? ZeroPart() : LoadFirst(y, left);
        const Part sum = MultiplyAdd(Load(work->sums[r] + lane), by, before);
        StoreFirst(y, finished ? half.Finish(sum) : sum, left);
      }
    }
  }
}

template <typename Tiles, int kHalves, typename Codes>
HADAL_INLINE void AddPiece(const MatMulJob& job, const TilePiece& piece, std::int64_t row,
                           std::int64_t rows, const Codes* codes, TileWork* work) {
  const auto* x = static_cast<const std::uint16_t*>(job.x.codes);
  const TileRowsOf at{x + row * job.x.code_stride + piece.k, job.x.code_stride, rows,
                      job.y + row * job.y_stride + piece.output, job.y_stride};
  if constexpr (Codes::kBytes == 1)
    AddScaled<Tiles, kHalves>(job.weight, piece, at, codes, work);
  else
    AddPlain<Tiles, kHalves>(piece, at, work);
}

// Never inlined: the compiler may move arithmetic within a function across the change of mode.
template <typename Tiles, typename Codes>
__attribute__((noinline)) void DotAllOnTiles(const MatMulJob& job) noexcept {
  auto* work = reinterpret_cast<TileWork*>(job.scratch);
  const WeightRows& weight = job.weight;
  for (std::int64_t o = job.first_output; o < job.last_output; o += kTileOutputs) {
    Codes codes[kTileOutputs / kPartLanes];
    for (std::int64_t k = 0; k < weight.columns; k += kKeptColumns) {
      const TilePiece piece{o, job.last_output, k, Smaller(kKeptColumns, weight.columns - k)};
      LoadWeights(weight, piece, codes, work);
      for (std::int64_t r = 0; r < job.x.rows; r += 2 * kHalf) {
        const std::int64_t rows = Smaller(2 * kHalf, job.x.rows - r);
        if (rows > kHalf)
          AddPiece<Tiles, 2>(job, piece, r, rows, codes, work);
        else
          AddPiece<Tiles, 1>(job, piece, r, rows, codes, work);
      }
    }
  }
}

// The caller has asked FitsTiles.
template <typename Tiles, typename Codes>
void ProductOnTiles(const MatMulJob& job) noexcept {
  const typename Codes::Mode mode;
  const TileConfig config = WholeTiles();
  Tiles::Configure(config);
  DotAllOnTiles<Tiles, Codes>(job);
  Tiles::Release();
}

// The products of a level: kFewestRows rows and more on tiles; fewer fill too little of one and
// stay with the vectors that kFillVectors fills in, as do shapes that cut a group.
template <typename Tiles, std::int64_t kFewestRows, void (*kFillVectors)(MatMulTable*)>
struct TilesOrVectors {
  static const MatMulTable& Vectors() {
    static const MatMulTable table = [] {
      MatMulTable filled;
      kFillVectors(&filled);
      return filled;
    }();
    return table;
  }
  template <typename Codes>
  static void Run(const MatMulJob& job) noexcept {
    if (job.x.rows >= kFewestRows && FitsTiles(job.weight))
      return ProductOnTiles<Tiles, Codes>(job);
    Vectors().fast[static_cast<int>(job.weight.format)](job);
  }
  static void Fill(MatMulTable* table) {
    table->fast[static_cast<int>(WeightFormat::kBF16)] = Run<Bf16Codes>;
    table->fast[static_cast<int>(WeightFormat::kFp8Block)] = Run<Fp8Codes>;
  }
};

}  // namespace
}  // namespace hadal
