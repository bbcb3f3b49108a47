#include "kernels/matmul/bf16/bf16.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "kernels/flush_denormals.h"
#include "kernels/matmul/ahead_ref.h"
#include "kernels/pairs_ref.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

constexpr std::int64_t kGroup = 32;
constexpr std::int64_t kRows = 16;  // rows that share decoded groups
constexpr int kOutputs = 16;        // outputs whose chains run side by side

// The values of FP8 codes.
constexpr std::array<double, 256> MakeFp8Values() {
  std::array<double, 256> values{};
  for (int code = 0; code < 256; ++code)
    values[static_cast<std::size_t>(code)] = E4m3ToF32(static_cast<std::uint8_t>(code));
  return values;
}
constexpr std::array<double, 256> kFp8Values = MakeFp8Values();

// A group of each output, as it meets the activations: FP8 without scale, zeros beyond the last
// column.
struct Groups {
  double w[kOutputs][kGroup];
};

// `count` numbers and zeros behind them.
void ReadBf16(const void* from, std::int64_t count, double* values) {
  std::uint16_t codes[kGroup];
  if (count == kGroup) {  // a size that the compiler knows
    std::memcpy(codes, from, sizeof(codes));
  } else {
    std::fill(codes, codes + kGroup, std::uint16_t{0});
    std::memcpy(codes, from, 2 * static_cast<std::size_t>(count));
  }
  for (std::int64_t i = 0; i < kGroup; ++i) values[i] = static_cast<double>(Bf16ToF32(codes[i]));
}

// Whether all of eight FP8 codes are normal numbers.
bool AllNormal(const std::uint64_t (&words)[kGroup / 8]) {
  constexpr std::uint64_t kEach = 0x0101'0101'0101'0101u, kTops = 0x80 * kEach;
  std::uint64_t normal = kTops;
  for (const std::uint64_t word : words) {
    const std::uint64_t magnitudes = word & ~kTops;
    const std::uint64_t not_small = magnitudes + 0x78 * kEach;  // top bits: 8 or more
    const std::uint64_t nan = magnitudes + kEach;               // top bits: 0x7F
    normal &= not_small & ~nan;
  }
  return normal == kTops;
}

// Whole groups of normal numbers become bf16 first, whose bits are moved ones with another bias:
// compilers turn eight at a time. Others go by table.
void ReadFp8(const std::byte* from, std::int64_t count, double* values) {
  std::uint64_t words[kGroup / 8];
  if (count == kGroup) std::memcpy(words, from, sizeof(words));
  if (count == kGroup && AllNormal(words)) {
    std::uint8_t codes[kGroup];
    std::memcpy(codes, from, sizeof(codes));
    std::uint16_t wide[kGroup];
    for (std::int64_t i = 0; i < kGroup; ++i) {
      // The sign stays on top, copies of it and the magnitude go down by four places.
      const auto top = static_cast<std::int16_t>(codes[i] << 8);
      wide[i] = static_cast<std::uint16_t>(((top >> 4) & 0x87F0) + (120 << 7));
    }
    return ReadBf16(wide, kGroup, values);
  }
  for (std::int64_t i = 0; i < count; ++i)
    values[i] = kFp8Values[static_cast<std::size_t>(from[i])];
  std::fill(values + count, values + kGroup, 0.0);
}

std::int64_t CodeBytes(const WeightRows& weight) {
  return weight.format == WeightFormat::kBF16 ? 2 : 1;
}

void ReadGroup(const WeightRows& weight, std::int64_t row, std::int64_t first, std::int64_t count,
               double* w) {
  const std::byte* from = weight.data + row * weight.row_stride_bytes;
  if (weight.format == WeightFormat::kBF16) return ReadBf16(from + 2 * first, count, w);
  ReadFp8(from + first, count, w);
}

// Adds a group's sums to `sums`: even and odd columns in a chain of 16 fused steps each, then
// added.
//
// Round(x * w + sum) is the fused step here (pairs_ref.h): a product of two bf16 has 16 bits. Where
// the sum in double is not exact, one of the two numbers lies more than 26 binary places below the
// other; the larger one alone has at most 24 bits, so that an f32 is next to the sum and no half
// way point is.
void AddGroup(const double* x, const Groups& groups, float* sums) {
  PairOfDoubles chain[kOutputs] = {};
  for (std::int64_t i = 0; i < kGroup; i += 2) {
    const PairOfDoubles value = LoadPair(x + i);
    for (int o = 0; o < kOutputs; ++o)
      chain[o] = Round(value * LoadPair(groups.w[o] + i) + chain[o]);
  }
  for (int o = 0; o < kOutputs; ++o)
    sums[o] += static_cast<float>(chain[o][0]) + static_cast<float>(chain[o][1]);
}

float ScaleOf(const WeightRows& weight, std::int64_t row, std::int64_t column) {
  const std::byte* scales =
      weight.scale + (weight.first_row + row) / weight.block * weight.scale_row_stride_bytes;
  const std::int64_t index = column / weight.block;
  if (weight.scale_dtype == DType::kF8E8M0)
    return E8m0ToF32(static_cast<std::uint8_t>(scales[index]));
  float scale = 0.0f;
  std::memcpy(&scale, scales + 4 * index, sizeof(scale));
  return scale;
}

// Of kOutputs outputs, for each row.
struct RowSums {
  float partial[kRows][kOutputs] = {};  // of the scale block in progress
  float total[kRows][kOutputs] = {};
};

// Rows [first_row, first_row + rows) by outputs [first, first + outputs).
struct Tile {
  std::int64_t first_row, rows;
  std::int64_t first, outputs;
};

// The columns [first, last) of one scale block.
void AddBlock(const MatMulJob& job, const Tile& tile, std::int64_t first, std::int64_t last,
              Groups& groups, RowSums* sums) {
  const std::byte* rows = job.weight.data + tile.first * job.weight.row_stride_bytes;
  for (std::int64_t k = first; k < last; k += kGroup) {
    const std::int64_t count = std::min(kGroup, last - k);
    const std::byte* ahead = rows + AheadOf(job.weight, k * CodeBytes(job.weight), kOutputs);
    for (std::int64_t o = 0; o < tile.outputs; ++o) {
      AskFor(ahead + o * job.weight.row_stride_bytes);
      ReadGroup(job.weight, tile.first + o, k, count, groups.w[o]);
    }
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      double x[kGroup];
      ReadBf16(static_cast<const std::uint16_t*>(job.x.codes) +
                   (tile.first_row + r) * job.x.code_stride + k,
               count, x);
      AddGroup(x, groups, sums->partial[r]);
    }
  }
}

void EndScaleBlock(const WeightRows& weight, const Tile& tile, std::int64_t column, RowSums* sums) {
  for (std::int64_t o = 0; o < tile.outputs; ++o) {
    const float scale = ScaleOf(weight, tile.first + o, column);
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      sums->total[r][o] = std::fma(sums->partial[r][o], scale, sums->total[r][o]);
      sums->partial[r][o] = 0.0f;
    }
  }
}

void DotTile(const MatMulJob& job, const Tile& tile) {
  const WeightRows& weight = job.weight;
  const bool scaled = weight.format == WeightFormat::kFp8Block;
  const std::int64_t block = scaled ? weight.block : weight.columns;
  RowSums sums;
  Groups groups{};  // outputs beyond the last stay zero
  for (std::int64_t k = 0; k < weight.columns; k += block) {
    AddBlock(job, tile, k, std::min(k + block, weight.columns), groups, &sums);
    if (scaled) EndScaleBlock(weight, tile, k, &sums);
  }
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    const float* row = scaled ? sums.total[r] : sums.partial[r];
    std::copy(row, row + tile.outputs, job.y + (tile.first_row + r) * job.y_stride + tile.first);
  }
}

// Never inlined: the compiler may move arithmetic within a function across the change of mode.
[[gnu::noinline]] void DotAll(const MatMulJob& job) {
  for (std::int64_t r = 0; r < job.x.rows; r += kRows)
    for (std::int64_t output = job.first_output; output < job.last_output; output += kOutputs)
      DotTile(job, {r, std::min(kRows, job.x.rows - r), output,
                    std::min<std::int64_t>(kOutputs, job.last_output - output)});
}

void Bf16DotRef(const MatMulJob& job) noexcept {
  const FlushDenormals flush;
  DotAll(job);
}

void PrepareBf16Ref(const PrepareJob& job) noexcept {
  for (std::int64_t r = job.first_row; r < job.last_row; ++r) {
    const float* x = job.x + r * job.x_stride;
    auto* codes = static_cast<std::uint16_t*>(job.out.codes) + r * job.out.code_stride;
    for (std::int64_t k = 0; k < job.out.columns; ++k) codes[k] = F32ToBf16(x[k]);
  }
}

}  // namespace

void FillBf16Ref(MatMulTable* table) {
  table->fast[static_cast<int>(WeightFormat::kBF16)] = Bf16DotRef;
  table->fast[static_cast<int>(WeightFormat::kFp8Block)] = Bf16DotRef;
  table->prepare[static_cast<int>(ActivationForm::kBF16)] = PrepareBf16Ref;
}

}  // namespace hadal
