// The products with bf16 activations over tiles; see bf16.h. After tile.h.
#pragma once

#include "kernels/flush_denormals.h"
#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

constexpr std::int64_t kSharedRows = 128;  // of activations, per loaded tile

struct Sums {
  float output[kTileOutputs];
};

// What a job keeps in its scratch.
struct Work {
  Tile tile;
  GroupRows group;
  float x[kSharedRows][kTileColumns];  // a chunk of the activations as f32, padded to whole groups
  Sums partial[kSharedRows];           // of the scale block in progress
  Sums total[kSharedRows];
  float scale[kTileOutputs];
};
static_assert(sizeof(Work) <= kMatMulScratchBytes);

// Adds the groups of a chunk to the sums of kRows rows and kCount registers of outputs.
template <int kRows, int kCount>
HADAL_INLINE void AddGroups(const Tile& tile, const float (*x)[kTileColumns], std::int64_t n,
                            int lane, Sums* sums) {
  for (std::int64_t g = 0; g < n; g += kGroup) {
    Part even[kRows][kCount], odd[kRows][kCount];
    for (int r = 0; r < kRows; ++r)
      for (int p = 0; p < kCount; ++p) even[r][p] = odd[r][p] = ZeroPart();
    const PairOfColumns* pair = tile.pair + g / 2;
    for (int i = 0; i < kGroup / 2; ++i)
      for (int p = 0; p < kCount; ++p) {
        const Part w_even = Load(pair[i].even + lane + p * kPartLanes);
        const Part w_odd = Load(pair[i].odd + lane + p * kPartLanes);
        for (int r = 0; r < kRows; ++r) {
          even[r][p] = MultiplyAdd(Same(x[r][g + 2 * i]), w_even, even[r][p]);
          odd[r][p] = MultiplyAdd(Same(x[r][g + 2 * i + 1]), w_odd, odd[r][p]);
        }
      }
    for (int r = 0; r < kRows; ++r)
      for (int p = 0; p < kCount; ++p) {
        float* sum = sums[r].output + lane + p * kPartLanes;
        Store(sum, Add(Load(sum), Add(even[r][p], odd[r][p])));
      }
  }
}

template <int kRows>
HADAL_INLINE void AddRowsOf(const Work& work, std::int64_t row, std::int64_t n, Sums* sums) {
  constexpr int kCount = kRows == 1 ? kTileParts : kChainParts;
  for (int part = 0; part < kTileParts; part += kCount)
    AddGroups<kRows, kCount>(work.tile, work.x + row, n, part * kPartLanes, sums + row);
}

HADAL_INLINE void AddChunk(const Work& work, std::int64_t rows, std::int64_t n, Sums* sums) {
  std::int64_t r = 0;
  for (; r + kChainRows <= rows; r += kChainRows) AddRowsOf<kChainRows>(work, r, n, sums);
  if (rows - r == 3) {
    if constexpr (kChainRows > 3) AddRowsOf<3>(work, r, n, sums);
  } else if (rows - r == 2) {
    AddRowsOf<2>(work, r, n, sums);
  } else if (rows - r == 1) {
    AddRowsOf<1>(work, r, n, sums);
  }
}

// Columns [k, k + n) of rows [first, first + rows) as f32; zeros to the end of the last group.
HADAL_INLINE void ReadActivations(const MatMulJob& job, std::int64_t first, std::int64_t rows,
                                  std::int64_t k, std::int64_t n, Work* work) {
  const std::int64_t padded = (n + kGroup - 1) / kGroup * kGroup;
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto* from =
        static_cast<const std::uint16_t*>(job.x.codes) + (first + r) * job.x.code_stride + k;
    float* to = work->x[r];
    std::int64_t i = 0;
    for (; i + kPartLanes <= n; i += kPartLanes) Store(to + i, FromBf16(from + i));
    for (; i < padded; ++i) {
      const unsigned bits = i < n ? static_cast<unsigned>(from[i]) << 16 : 0u;
      __builtin_memcpy(to + i, &bits, sizeof(bits));
    }
  }
}

// The scale of each output of the tile for the scale block that holds column k.
HADAL_INLINE void ReadScales(const WeightRows& weight, std::int64_t output, std::int64_t last,
                             std::int64_t k, float* scale) {
  const std::int64_t column = k / weight.block;
  std::int64_t known = -1;
  float value = 0.0f;
  for (int i = 0; i < kTileOutputs; ++i) {
    const std::int64_t row = output + i < last ? output + i : last - 1;
    const std::int64_t block_row = (weight.first_row + row) / weight.block;
    if (block_row != known) {
      known = block_row;
      const std::byte* scales = weight.scale + block_row * weight.scale_row_stride_bytes;
      if (weight.scale_dtype == DType::kF8E8M0) {
        const auto code = static_cast<unsigned>(scales[column]);
        const unsigned bits = code == 0xFF ? 0x7FC0'0000u : code == 0 ? 0x0040'0000u : code << 23;
        __builtin_memcpy(&value, &bits, sizeof(value));
      } else {
        __builtin_memcpy(&value, scales + 4 * column, sizeof(value));
      }
    }
    scale[i] = value;
  }
}

// total = fma(partial, scale, total), and the next scale block begins from zero.
HADAL_INLINE void EndScaleBlock(std::int64_t rows, Work* work) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (int i = 0; i < kTileOutputs; i += kPartLanes) {
      float* partial = work->partial[r].output + i;
      float* total = work->total[r].output + i;
      Store(total, MultiplyAdd(Load(partial), Load(work->scale + i), Load(total)));
      Store(partial, ZeroPart());
    }
}

// One tile of outputs for rows [first, first + rows) of activations.
HADAL_INLINE void TileOutputs(const MatMulJob& job, std::int64_t output, std::int64_t first,
                              std::int64_t rows, Work* work) {
  const WeightRows& weight = job.weight;
  const bool scaled = weight.format == WeightFormat::kFp8Block;
  const auto bytes = static_cast<std::size_t>(rows) * sizeof(Sums);
  __builtin_memset(work->partial, 0, bytes);
  __builtin_memset(work->total, 0, bytes);
  for (std::int64_t k = 0; k < weight.columns;) {
    std::int64_t end = scaled ? (k / weight.block + 1) * weight.block : weight.columns;
    if (end > weight.columns) end = weight.columns;
    const std::int64_t n = end - k < kTileColumns ? end - k : kTileColumns;
    LoadTile(weight, output, job.last_output, k, n, &work->group, &work->tile);
    ReadActivations(job, first, rows, k, n, work);
    AddChunk(*work, rows, n, work->partial);
    if (scaled && k + n == end) {
      ReadScales(weight, output, job.last_output, k, work->scale);
      EndScaleBlock(rows, work);
    }
    k += n;
  }
  const Sums* sums = scaled ? work->total : work->partial;
  const std::int64_t count =
      job.last_output - output < kTileOutputs ? job.last_output - output : kTileOutputs;
  for (std::int64_t r = 0; r < rows; ++r)
    __builtin_memcpy(job.y + (first + r) * job.y_stride + output, sums[r].output,
                     sizeof(float) * static_cast<std::size_t>(count));
}

// Never inlined: the compiler may move arithmetic within a function across the change of mode.
__attribute__((noinline)) void DotAll(const MatMulJob& job) noexcept {
  auto* work = reinterpret_cast<Work*>(job.scratch);
  for (std::int64_t r = 0; r < job.x.rows; r += kSharedRows) {
    const std::int64_t rows = job.x.rows - r < kSharedRows ? job.x.rows - r : kSharedRows;
    for (std::int64_t o = job.first_output; o < job.last_output; o += kTileOutputs)
      TileOutputs(job, o, r, rows, work);
  }
}

void Bf16DotWide(const MatMulJob& job) noexcept {
  const FlushDenormals flush;
  DotAll(job);
}

void PrepareBf16Wide(const PrepareJob& job) noexcept {
  for (std::int64_t r = job.first_row; r < job.last_row; ++r) {
    const float* x = job.x + r * job.x_stride;
    auto* codes = static_cast<std::uint16_t*>(job.out.codes) + r * job.out.code_stride;
    std::int64_t k = 0;
    for (; k + kPartLanes <= job.out.columns; k += kPartLanes) ToBf16(codes + k, Load(x + k));
    if (k == job.out.columns) continue;
    std::uint16_t last[kPartLanes];
    ToBf16(last, LoadFirst(x + k, job.out.columns - k));
    __builtin_memcpy(codes + k, last, 2 * static_cast<std::size_t>(job.out.columns - k));
  }
}

void FillBf16Wide(MatMulTable* table) {
  table->fast[static_cast<int>(WeightFormat::kBF16)] = Bf16DotWide;
  table->fast[static_cast<int>(WeightFormat::kFp8Block)] = Bf16DotWide;
  table->prepare[static_cast<int>(ActivationForm::kBF16)] = PrepareBf16Wide;
}

}  // namespace
}  // namespace hadal
