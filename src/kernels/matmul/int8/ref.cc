// The definition of the int8 products in plain code: blocks as numeric/formats.h loads them, exact
// integer sums, one fused step a block.
#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/matmul/int8/int8.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

std::int32_t Dot(const std::int8_t* a, const std::int8_t* b, int count) {
  std::int32_t sum = 0;
  for (int i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// What a row of activations holds for one block.
struct ActivationBlock {
  const std::int8_t* codes;
  float scale;
  const std::int16_t* sums;  // of 16 columns each
};

ActivationBlock BlockOf(const PreparedActivations& x, std::int64_t row, std::int64_t block,
                        int block_columns) {
  const std::int64_t blocks = x.columns / block_columns;
  return {static_cast<const std::int8_t*>(x.codes) + row * x.code_stride + block * block_columns,
          x.scales[row * blocks + block],
          x.sums + row * (x.columns / 16) + block * (block_columns / 16)};
}

template <bool kHalves, bool kMinimum>
float Step(const ScaledBlock& w, const ActivationBlock& x, float sum) {
  if (kHalves) {
    const std::int32_t first = Dot(w.code, x.codes, 16);
    const std::int32_t last = Dot(w.code + 16, x.codes + 16, 16);
    sum = std::fma(static_cast<float>(first), w.scale[0] * x.scale, sum);
    return std::fma(static_cast<float>(last), w.scale[1] * x.scale, sum);
  }
  sum = std::fma(static_cast<float>(Dot(w.code, x.codes, 32)), w.scale[0] * x.scale, sum);
  if (kMinimum) sum = std::fma(w.minimum * x.scale, static_cast<float>(x.sums[0] + x.sums[1]), sum);
  return sum;
}

template <bool kMinimum>
float Step(const SuperBlock& w, const ActivationBlock& x, float sum) {
  std::int32_t dots = 0, minimums = 0;
  for (int sub = 0; sub < 16; ++sub)
    dots += w.sub_scale[sub] * Dot(w.code + 16 * sub, x.codes + 16 * sub, 16);
  for (int sub = 0; sub < 8; ++sub)
    minimums += w.sub_minimum[sub] * (x.sums[2 * sub] + x.sums[2 * sub + 1]);
  sum = std::fma(static_cast<float>(dots), w.scale * x.scale, sum);
  if (kMinimum) sum = std::fma(static_cast<float>(minimums), -(w.minimum * x.scale), sum);
  return sum;
}

// y[row, output] over ascending blocks, for every row. `load` reads block b of a stored row, `step`
// adds it to one sum.
template <typename Block, typename Load, typename StepOf>
void Product(const MatMulJob& job, int block_columns, Load load, StepOf step) {
  const std::int64_t blocks = job.weight.columns / block_columns;
  Block block;
  for (std::int64_t output = job.first_output; output < job.last_output; ++output) {
    for (std::int64_t row = 0; row < job.x.rows; ++row) job.y[row * job.y_stride + output] = 0.0f;
    for (std::int64_t b = 0; b < blocks; ++b) {
      load(output, b, block);
      for (std::int64_t row = 0; row < job.x.rows; ++row) {
        float& sum = job.y[row * job.y_stride + output];
        sum = step(block, BlockOf(job.x, row, b, block_columns), sum);
      }
    }
  }
}

template <void (*kLoad)(const std::byte*, ScaledBlock&), int kBlockBytes, bool kMinimum>
void Scaled(const MatMulJob& job) noexcept {
  const WeightRows& weight = job.weight;
  Product<ScaledBlock>(
      job, 32,
      [&weight](std::int64_t row, std::int64_t b, ScaledBlock& out) {
        kLoad(weight.data + row * weight.row_stride_bytes + b * kBlockBytes, out);
      },
      Step<false, kMinimum>);
}

template <void (*kLoad)(const std::byte*, SuperBlock&), int kBlockBytes, bool kMinimum>
void Super(const MatMulJob& job) noexcept {
  const WeightRows& weight = job.weight;
  Product<SuperBlock>(
      job, 256,
      [&weight](std::int64_t row, std::int64_t b, SuperBlock& out) {
        kLoad(weight.data + row * weight.row_stride_bytes + b * kBlockBytes, out);
      },
      Step<kMinimum>);
}

const std::byte* ScalesOf(const WeightRows& weight, std::int64_t row) {
  return weight.scale + (weight.first_row + row) * weight.scale_row_stride_bytes;
}

void Mxfp4(const MatMulJob& job) noexcept {
  const WeightRows& weight = job.weight;
  Product<ScaledBlock>(
      job, 32,
      [&weight](std::int64_t row, std::int64_t b, ScaledBlock& out) {
        LoadMxfp4(weight.data + row * weight.row_stride_bytes + b * 16, ScalesOf(weight, row) + b,
                  out);
      },
      Step<false, false>);
}

void Nvfp4(const MatMulJob& job) noexcept {
  const WeightRows& weight = job.weight;
  Product<ScaledBlock>(
      job, 32,
      [&weight](std::int64_t row, std::int64_t b, ScaledBlock& out) {
        LoadNvfp4(weight.data + row * weight.row_stride_bytes + b * 16,
                  ScalesOf(weight, row) + 2 * b, weight.global_scale, out);
      },
      Step<true, false>);
}

// The largest magnitude is found among the bit patterns, so that NaN counts as larger than
// infinity: either makes the scale NaN or infinite and the codes 0, and so each output NaN.
float QuantizeBlock(const float* x, int count, std::int8_t* codes) {
  std::uint32_t largest = 0;
  for (int i = 0; i < count; ++i)
    largest = std::max(largest, std::bit_cast<std::uint32_t>(x[i]) & 0x7FFF'FFFFu);
  const float scale = std::bit_cast<float>(largest) / 127.0f;
  const bool usable = scale > 0.0f && std::isfinite(scale);
  for (int i = 0; i < count; ++i) {
    // Only a denormal scale is coarse enough for a quotient beyond 127.5.
    const float code = usable ? std::nearbyint(x[i] / scale) : 0.0f;
    codes[i] = static_cast<std::int8_t>(std::clamp(code, -127.0f, 127.0f));
  }
  return scale;
}

// Rows of x to int8, kColumns values to a scale.
template <int kColumns>
void Prepare(const PrepareJob& job) noexcept {
  const PreparedActivations& out = job.out;
  const std::int64_t blocks = out.columns / kColumns;
  for (std::int64_t row = job.first_row; row < job.last_row; ++row)
    for (std::int64_t b = 0; b < blocks; ++b) {
      const float* x = job.x + row * job.x_stride + b * kColumns;
      std::int8_t* codes =
          static_cast<std::int8_t*>(out.codes) + row * out.code_stride + b * kColumns;
      out.scales[row * blocks + b] = QuantizeBlock(x, kColumns, codes);
      std::int16_t* sums = out.sums + row * (out.columns / 16) + b * (kColumns / 16);
      for (int i = 0; i < kColumns; ++i)
        sums[i / 16] = static_cast<std::int16_t>((i % 16 == 0 ? 0 : sums[i / 16]) + codes[i]);
    }
}

}  // namespace

void FillInt8Ref(MatMulTable* table) {
  const auto fast = [table](WeightFormat format) -> MatMulKernel& {
    return table->fast[static_cast<int>(format)];
  };
  fast(WeightFormat::kMxfp4) = Mxfp4;
  fast(WeightFormat::kNvfp4) = Nvfp4;
  fast(WeightFormat::kQ8_0) = Scaled<LoadQ8_0, 34, false>;
  fast(WeightFormat::kQ4_0) = Scaled<LoadQ4_0, 18, false>;
  fast(WeightFormat::kQ4_1) = Scaled<LoadQ4_1, 20, true>;
  fast(WeightFormat::kQ5_0) = Scaled<LoadQ5_0, 22, false>;
  fast(WeightFormat::kQ5_1) = Scaled<LoadQ5_1, 24, true>;
  fast(WeightFormat::kGgufMxfp4) = Scaled<LoadGgufMxfp4, 17, false>;
  fast(WeightFormat::kQ4_K) = Super<LoadQ4_K, 144, true>;
  fast(WeightFormat::kQ5_K) = Super<LoadQ5_K, 176, true>;
  fast(WeightFormat::kQ6_K) = Super<LoadQ6_K, 210, false>;
  table->prepare[static_cast<int>(ActivationForm::kInt8x32)] = Prepare<32>;
  table->prepare[static_cast<int>(ActivationForm::kInt8x256)] = Prepare<256>;
}

}  // namespace hadal
