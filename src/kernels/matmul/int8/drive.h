// The loops of a product: tiles of outputs, blocks of columns, rows of activations. After scaled.h
// and super.h; see int8.h.
#pragma once

#include "kernels/matmul/int8/int8.h"

namespace hadal {
namespace {

// Rows of activations that share one pass over a tile: the sums, the dots and a broadcast of each
// fit the registers of both levels.
constexpr int kSharedRows = 4;
// Columns whose tiles are kept for all rows: they stay in the first-level cache while rows pass by.
constexpr std::int64_t kKeptColumns = 512;

// kLanes rows from `first` on, or this row in every lane.
HADAL_INLINE TileRows RowsOf(const WeightRows& weight, std::int64_t first, bool alone) {
  const auto* data = reinterpret_cast<const Bytes*>(weight.data);
  const auto* scale = reinterpret_cast<const Bytes*>(weight.scale);
  TileRows rows;
  rows.data = EvenRows(data + first * weight.row_stride_bytes, alone ? 0 : weight.row_stride_bytes);
  rows.scale = EvenRows(scale + (weight.first_row + first) * weight.scale_row_stride_bytes,
                        alone ? 0 : weight.scale_row_stride_bytes);
  rows.global_scale = weight.global_scale;
  return rows;
}

template <int kColumns, int kRows>
HADAL_INLINE ActivationBlocks<kRows> BlocksOf(const PreparedActivations& x, std::int64_t row,
                                              std::int64_t block) {
  ActivationBlocks<kRows> blocks;
  for (int r = 0; r < kRows; ++r) {
    blocks.codes[r] =
        static_cast<const std::int8_t*>(x.codes) + (row + r) * x.code_stride + block * kColumns;
    blocks.scale[r] = x.scales + (row + r) * (x.columns / kColumns) + block;
    blocks.sums[r] = x.sums + (row + r) * (x.columns / 16) + block * (kColumns / 16);
  }
  return blocks;
}

template <int kColumns, int kRows>
HADAL_INLINE void Advance(ActivationBlocks<kRows>& blocks) {
  for (int r = 0; r < kRows; ++r) {
    blocks.codes[r] += kColumns;
    blocks.scale[r] += 1;
    blocks.sums[r] += kColumns / 16;
  }
}

// The rows of the next tile lie behind those of this one; they are prefetched in as many parts as
// this tile has blocks. Hardware does not follow sixteen short rows at once.
struct NextTile {
  const Bytes* at;
  std::int64_t part_bytes;
};
HADAL_INLINE NextTile NextTileOf(const WeightRows& weight, const TileRows& rows,
                                 std::int64_t blocks) {
  const std::int64_t bytes = kLanes * weight.row_stride_bytes;
  return {rows.data[0] + bytes, bytes / blocks};
}
HADAL_INLINE void PrefetchPart(NextTile& next) {
  for (std::int64_t i = 0; i < next.part_bytes; i += 64) Prefetch(next.at + i);
  next.at += next.part_bytes;
}

// Loads the tiles of blocks [first, first + count), ascending: that of block first + i to
// *place(i, k), where neighbours that are loaded together have places side by side and k counts
// them. Then calls use(tile).
template <typename Format, typename Place, typename Use>
HADAL_INLINE void ForTiles(const TileRows& rows, std::int64_t first, std::int64_t count,
                           NextTile& next, Place place, Use use) {
  std::int64_t i = 0;
  if constexpr (Format::kTogether > 1)
    for (; i + Format::kTogether <= count; i += Format::kTogether) {
      Format::LoadScales(rows, first + i, place(i, 0));
#pragma GCC unroll 4
      for (int k = 0; k < Format::kTogether; ++k) {
        PrefetchPart(next);
        Format::LoadCodes(rows, first + i + k, *place(i + k, k));
        use(*place(i + k, k));
      }
    }
  for (; i < count; ++i) {
    PrefetchPart(next);
    Format::LoadScale(rows, first + i, *place(i, 0));
    Format::LoadCodes(rows, first + i, *place(i, 0));
    use(*place(i, 0));
  }
}

// Few rows of activations: every tile is used once, as soon as it is loaded.
template <typename Format, int kRows>
void FewRows(const MatMulJob& job, const TileRows& tile_rows, const TileOutputs& to) noexcept {
  const TileRows rows = tile_rows;  // so that its addresses stay in registers
  const std::int64_t blocks = job.weight.columns / Format::kColumns;
  ActivationBlocks<kRows> x = BlocksOf<Format::kColumns, kRows>(job.x, 0, 0);
  Float sum[kRows];
  for (int r = 0; r < kRows; ++r) sum[r] = ZeroF();
  NextTile next = NextTileOf(job.weight, rows, blocks);
  typename Format::Tile loaded[Format::kTogether];
  const auto place = [&](std::int64_t, int k) { return loaded + k; };
  ForTiles<Format>(rows, 0, blocks, next, place, [&](const auto& tile) {
    Step<Format, kRows>(tile, x, sum);
    Advance<Format::kColumns, kRows>(x);
  });
  for (int r = 0; r < kRows; ++r) Store(to.y + r * job.y_stride, to.first, to.count, sum[r]);
}

// Adds `blocks` kept tiles, which begin at block `first`, to the sums of kRows rows in y.
template <typename Format, int kRows>
void AddKept(const MatMulJob& job, std::int64_t row, const TileOutputs& to, std::int64_t first,
             std::int64_t blocks) noexcept {
  const auto* tile = reinterpret_cast<const typename Format::Tile*>(job.scratch);
  ActivationBlocks<kRows> x = BlocksOf<Format::kColumns, kRows>(job.x, row, first);
  float* y = to.y + row * job.y_stride;
  Float sum[kRows];
  for (int r = 0; r < kRows; ++r)
    sum[r] = first == 0 ? ZeroF() : Load(y + r * job.y_stride, to.first, to.count);
  for (std::int64_t b = 0; b < blocks; ++b) {
    Step<Format, kRows>(tile[b], x, sum);
    Advance<Format::kColumns, kRows>(x);
  }
  for (int r = 0; r < kRows; ++r) Store(y + r * job.y_stride, to.first, to.count, sum[r]);
}

// Several rows: a run of tiles is loaded once and used by all rows; sums wait in y between runs.
template <typename Format>
void ManyRows(const MatMulJob& job, const TileRows& rows, const TileOutputs& to) noexcept {
  constexpr std::int64_t kRun = kKeptColumns / Format::kColumns;
  static_assert(kRun * sizeof(typename Format::Tile) <= kMatMulScratchBytes);
  const std::int64_t blocks = job.weight.columns / Format::kColumns;
  auto* tile = reinterpret_cast<typename Format::Tile*>(job.scratch);
  NextTile next = NextTileOf(job.weight, rows, blocks);
  for (std::int64_t first = 0; first < blocks; first += kRun) {
    const std::int64_t run = blocks - first < kRun ? blocks - first : kRun;
    const auto place = [tile](std::int64_t i, int) { return tile + i; };
    ForTiles<Format>(rows, first, run, next, place, [](const auto&) {});
    std::int64_t row = 0;
    for (; row + kSharedRows <= job.x.rows; row += kSharedRows)
      AddKept<Format, kSharedRows>(job, row, to, first, run);
    if constexpr (kLanes == 16) {  // with fewer registers, rows alone are faster than two or three
      if (job.x.rows - row >= 2) {
        if (job.x.rows - row == 3)
          AddKept<Format, 3>(job, row, to, first, run);
        else
          AddKept<Format, 2>(job, row, to, first, run);
        row = job.x.rows;
      }
    }
    for (; row < job.x.rows; ++row) AddKept<Format, 1>(job, row, to, first, run);
  }
}

template <typename Format>
void TileProduct(const MatMulJob& job, const TileRows& rows, const TileOutputs& to) noexcept {
  if (job.x.rows == 1) return FewRows<Format, 1>(job, rows, to);
  if constexpr (kLanes == 16) {  // as many registers as that
    if (job.x.rows == 2) return FewRows<Format, 2>(job, rows, to);
    if (job.x.rows == 3) return FewRows<Format, 3>(job, rows, to);
    if (job.x.rows == 4) return FewRows<Format, 4>(job, rows, to);
  }
  ManyRows<Format>(job, rows, to);
}

template <typename Format>
struct VectorProduct {
  static void Run(const MatMulJob& job) noexcept {
    std::int64_t output = job.first_output;
    for (; output + kLanes <= job.last_output; output += kLanes)
      TileProduct<Format>(job, RowsOf(job.weight, output, false), {job.y + output, 0, kLanes});
    if (output == job.last_output) return;
    // The last rows begin where a whole tile does; of a weight without one, each row goes alone.
    const int left = static_cast<int>(job.last_output - output);
    const std::int64_t first = job.last_output - kLanes;
    if (first >= 0) {
      TileProduct<Format>(job, RowsOf(job.weight, first, false),
                          {job.y + first, kLanes - left, left});
      return;
    }
    for (; output < job.last_output; ++output)
      TileProduct<Format>(job, RowsOf(job.weight, output, true), {job.y + output, 0, 1});
  }
};

// Product<Format>::Run for every format.
template <template <typename> typename Product>
void FillProducts(MatMulTable* table) {
  table->fast[static_cast<int>(WeightFormat::kMxfp4)] = Product<Mxfp4>::Run;
  table->fast[static_cast<int>(WeightFormat::kNvfp4)] = Product<Nvfp4>::Run;
  table->fast[static_cast<int>(WeightFormat::kQ8_0)] = Product<Q8_0>::Run;
  table->fast[static_cast<int>(WeightFormat::kQ4_0)] = Product<Q4_0>::Run;
  table->fast[static_cast<int>(WeightFormat::kQ4_1)] = Product<Q4_1>::Run;
  table->fast[static_cast<int>(WeightFormat::kQ5_0)] = Product<Q5_0>::Run;
  table->fast[static_cast<int>(WeightFormat::kQ5_1)] = Product<Q5_1>::Run;
  table->fast[static_cast<int>(WeightFormat::kGgufMxfp4)] = Product<GgufMxfp4>::Run;
  table->fast[static_cast<int>(WeightFormat::kQ4_K)] = Product<Q4_K>::Run;
  table->fast[static_cast<int>(WeightFormat::kQ5_K)] = Product<Q5_K>::Run;
  table->fast[static_cast<int>(WeightFormat::kQ6_K)] = Product<Q6_K>::Run;
}

}  // namespace
}  // namespace hadal
