#include "kernels/matmul/bf16/bf16.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "kernels/flush_denormals.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

constexpr std::int64_t kGroup = 32;
constexpr std::int64_t kRows = 16;  // rows that share decoded groups

// A group's sum: even and odd columns in a chain of 16 each, then added. Columns beyond `count` are
// zeros in both.
float GroupSum(const std::uint16_t* x, const float* w, std::int64_t count) {
  float even = 0.0f, odd = 0.0f;
  for (std::int64_t i = 0; i < kGroup; i += 2) {
    even = std::fma(i < count ? Bf16ToF32(x[i]) : 0.0f, w[i], even);
    odd = std::fma(i + 1 < count ? Bf16ToF32(x[i + 1]) : 0.0f, w[i + 1], odd);
  }
  return even + odd;
}

// The values of FP8 codes. Made before denormals are flushed, whatever way decoding takes.
const std::array<float, 256>& Fp8Values() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> values{};
    for (int code = 0; code < 256; ++code)
      values[static_cast<std::size_t>(code)] = E4m3ToF32(static_cast<std::uint8_t>(code));
    return values;
  }();
  return table;
}

// Columns [first, first + count) of a stored row as they meet the activations: FP8 without scale.
void ReadGroup(const WeightRows& weight, std::int64_t row, std::int64_t first, std::int64_t count,
               float* w) {
  const std::byte* from = weight.data + row * weight.row_stride_bytes;
  for (std::int64_t i = 0; i < kGroup; ++i) {
    w[i] = 0.0f;
    if (i >= count) continue;
    if (weight.format == WeightFormat::kBF16) {
      std::uint16_t code = 0;
      std::memcpy(&code, from + 2 * (first + i), sizeof(code));
      w[i] = Bf16ToF32(code);
    } else {
      w[i] = Fp8Values()[static_cast<std::size_t>(from[first + i])];
    }
  }
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

struct RowSums {
  float partial[kRows] = {};  // of the scale block in progress
  float total[kRows] = {};
};

// The columns of one scale block, for all rows of the group.
void AddBlock(const MatMulJob& job, std::int64_t output, std::int64_t first, std::int64_t last,
              std::int64_t first_row, std::int64_t row_count, RowSums* sums) {
  for (std::int64_t k = first; k < last; k += kGroup) {
    float w[kGroup];
    const std::int64_t count = std::min(kGroup, last - k);
    ReadGroup(job.weight, output, k, count, w);
    for (std::int64_t r = 0; r < row_count; ++r) {
      const auto* x =
          static_cast<const std::uint16_t*>(job.x.codes) + (first_row + r) * job.x.code_stride + k;
      sums->partial[r] += GroupSum(x, w, count);
    }
  }
}

void DotOutput(const MatMulJob& job, std::int64_t output, std::int64_t first_row,
               std::int64_t row_count) {
  const WeightRows& weight = job.weight;
  RowSums sums;
  if (weight.format == WeightFormat::kBF16) {
    AddBlock(job, output, 0, weight.columns, first_row, row_count, &sums);
    std::copy(sums.partial, sums.partial + kRows, sums.total);
  } else {
    for (std::int64_t k = 0; k < weight.columns; k += weight.block) {
      std::fill(sums.partial, sums.partial + kRows, 0.0f);
      AddBlock(job, output, k, std::min(k + weight.block, weight.columns), first_row, row_count,
               &sums);
      const float scale = ScaleOf(weight, output, k);
      for (std::int64_t r = 0; r < row_count; ++r)
        sums.total[r] = std::fma(sums.partial[r], scale, sums.total[r]);
    }
  }
  for (std::int64_t r = 0; r < row_count; ++r)
    job.y[(first_row + r) * job.y_stride + output] = sums.total[r];
}

// Never inlined: the compiler may move arithmetic within a function across the change of mode.
[[gnu::noinline]] void DotAll(const MatMulJob& job) {
  for (std::int64_t r = 0; r < job.x.rows; r += kRows)
    for (std::int64_t output = job.first_output; output < job.last_output; ++output)
      DotOutput(job, output, r, std::min(kRows, job.x.rows - r));
}

void Bf16DotRef(const MatMulJob& job) noexcept {
  Fp8Values();
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
