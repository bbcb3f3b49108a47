// The definition of the int8 products in plain code: blocks as numeric/formats.h loads them, exact
// integer sums, one fused step a block.
#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/matmul/ahead_ref.h"
#include "kernels/matmul/int8/int8.h"
#include "kernels/pairs_ref.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

constexpr int kOutputs = 8;         // outputs whose chains run side by side
constexpr std::int64_t kRows = 16;  // rows that share loaded blocks

// A block of a row of activations; codes as compilers want them for their dots.
template <int kColumns>
struct ActivationBlock {
  std::int16_t code[kColumns];
  float scale;
  const std::int16_t* sums;  // of 16 columns each

  ActivationBlock(const PreparedActivations& x, std::int64_t row, std::int64_t block)
      : scale(x.scales[row * (x.columns / kColumns) + block]),
        sums(x.sums + row * (x.columns / 16) + block * (kColumns / 16)) {
    const auto* from =
        static_cast<const std::int8_t*>(x.codes) + row * x.code_stride + block * kColumns;
    for (int i = 0; i < kColumns; ++i) code[i] = from[i];
  }
};

template <int kCount, typename Code>
std::int32_t Dot(const Code* a, const std::int16_t* b) {
  std::int32_t sum = 0;
#pragma GCC unroll 1  // an unrolled loop is none that becomes vectors
  for (int i = 0; i < kCount; ++i) sum += static_cast<std::int16_t>(a[i]) * b[i];
  return sum;
}

// The fused steps of one block: for each output, sum = fma(float(integer), scale, sum), at most
// twice.
struct Terms {
  std::int32_t integer[2][kOutputs] = {};
  float scale[2][kOutputs] = {};

  void Set(int step, int output, std::int32_t value, float by) {
    integer[step][output] = value;
    scale[step][output] = by;
  }
};

// Whether all sums were beyond doubt; else they stay as they were.
template <int kSteps>
bool AddQuickly(const float (*factor)[kOutputs], const Terms& terms, float* sums) {
  PairOfDoubles sum[kOutputs / 2];
  FourNumbers doubt{};
  for (int o = 0; o < kOutputs; o += 2) sum[o / 2] = LoadPair(sums + o);
  for (int step = 0; step < kSteps; ++step)
    for (int o = 0; o < kOutputs; o += 4) {
      PairOfDoubles* pair = sum + o / 2;
      const float* scale = terms.scale[step] + o;
      pair[0] += LoadPair(factor[step] + o) * LoadPair(scale);
      pair[1] += LoadPair(factor[step] + o + 2) * LoadPair(scale + 2);
      doubt |= Doubt(pair[0], pair[1]);
      pair[0] = Round(pair[0]);
      pair[1] = Round(pair[1]);
    }
  if (Any(doubt)) return false;
  for (int o = 0; o < kOutputs; o += 2) StorePair(sums + o, sum[o / 2]);
  return true;
}

template <int kSteps>
void AddTerms(const Terms& terms, float* sums) {
  float factor[kSteps][kOutputs];
  for (int step = 0; step < kSteps; ++step)
    for (int o = 0; o < kOutputs; ++o) factor[step][o] = static_cast<float>(terms.integer[step][o]);
  if (AddQuickly<kSteps>(factor, terms, sums)) return;
  for (int step = 0; step < kSteps; ++step)
    for (int o = 0; o < kOutputs; o += 2)
      StorePair(sums + o, ExactFma(LoadPair(factor[step] + o), LoadPair(terms.scale[step] + o),
                                   LoadPair(sums + o)));
}

// Blocks of 32: what one adds to a sum. kHalves: two sums of 16 with a scale each.
template <bool kHalves, bool kMinimum>
struct ScaledStep {
  using Block = ScaledBlock;
  static constexpr int kColumns = 32, kSteps = kHalves || kMinimum ? 2 : 1;
  static void Add(const ScaledBlock& w, const ActivationBlock<32>& x, int output, Terms* terms) {
    if (kHalves) {
      terms->Set(0, output, Dot<16>(w.code, x.code), w.scale[0] * x.scale);
      terms->Set(1, output, Dot<16>(w.code + 16, x.code + 16), w.scale[1] * x.scale);
      return;
    }
    terms->Set(0, output, Dot<32>(w.code, x.code), w.scale[0] * x.scale);
    if (kMinimum) terms->Set(1, output, x.sums[0] + x.sums[1], w.minimum * x.scale);
  }
};

// A block of 256 whose codes hold their sub-scales: at most 32 * 128 in magnitude.
struct ScaledSuperBlock {
  float scale;
  float minimum;
  std::uint8_t sub_minimum[8];
  std::int16_t code[256];
};

void MultiplySubScales(const SuperBlock& w, ScaledSuperBlock& out) {
  out.scale = w.scale;
  out.minimum = w.minimum;
  std::copy(w.sub_minimum, w.sub_minimum + 8, out.sub_minimum);
  std::int16_t sub_scale[256];
  for (int sub = 0; sub < 16; ++sub)
    std::fill(sub_scale + 16 * sub, sub_scale + 16 * sub + 16, w.sub_scale[sub]);
  for (int i = 0; i < 256; ++i) out.code[i] = static_cast<std::int16_t>(sub_scale[i] * w.code[i]);
}

template <bool kMinimum>
struct SuperStep {
  using Block = ScaledSuperBlock;
  static constexpr int kColumns = 256, kSteps = kMinimum ? 2 : 1;
  static void Add(const ScaledSuperBlock& w, const ActivationBlock<256>& x, int output,
                  Terms* terms) {
    terms->Set(0, output, Dot<256>(w.code, x.code), w.scale * x.scale);
    if (!kMinimum) return;
    std::int32_t minimums = 0;
    for (int sub = 0; sub < 8; ++sub)
      minimums += w.sub_minimum[sub] * (x.sums[2 * sub] + x.sums[2 * sub + 1]);
    terms->Set(1, output, minimums, -(w.minimum * x.scale));
  }
};

// Rows [first_row, first_row + rows) by outputs [first, first + outputs).
struct Tile {
  std::int64_t first_row, rows;
  std::int64_t first;
  int outputs;
};

// Where the rows of a tile begin.
struct TileRows {
  const std::byte* data[kOutputs];
  const std::byte* scale[kOutputs];  // formats with separate scales

  TileRows(const WeightRows& weight, std::int64_t first, int outputs) {
    for (int o = 0; o < outputs; ++o) {
      data[o] = weight.data + (first + o) * weight.row_stride_bytes;
      scale[o] = weight.scale + (weight.first_row + first + o) * weight.scale_row_stride_bytes;
    }
  }
};

// y over ascending blocks. `load` reads block b of a row of the tile.
template <typename Step, typename Load>
void ProductTile(const MatMulJob& job, const Tile& tile, Load load) {
  float sums[kRows][kOutputs] = {};
  typename Step::Block block[kOutputs];
  Terms terms;
  const TileRows rows(job.weight, tile.first, tile.outputs);
  const std::int64_t blocks = job.weight.columns / Step::kColumns;
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t ahead =
        AheadOf(job.weight, b * job.weight.row_stride_bytes / blocks, kOutputs);
    for (int o = 0; o < tile.outputs; ++o) {
      AskFor(rows.data[o] + ahead);
      load(rows.data[o], rows.scale[o], b, block[o]);
    }
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      const ActivationBlock<Step::kColumns> x(job.x, tile.first_row + r, b);
      for (int o = 0; o < tile.outputs; ++o) Step::Add(block[o], x, o, &terms);
      AddTerms<Step::kSteps>(terms, sums[r]);
    }
  }
  for (std::int64_t r = 0; r < tile.rows; ++r)
    std::copy(sums[r], sums[r] + tile.outputs,
              job.y + (tile.first_row + r) * job.y_stride + tile.first);
}

template <typename Step, typename Load>
void Product(const MatMulJob& job, Load load) {
  for (std::int64_t r = 0; r < job.x.rows; r += kRows)
    for (std::int64_t output = job.first_output; output < job.last_output; output += kOutputs) {
      const std::int64_t outputs = std::min<std::int64_t>(kOutputs, job.last_output - output);
      ProductTile<Step>(
          job, {r, std::min(kRows, job.x.rows - r), output, static_cast<int>(outputs)}, load);
    }
}

template <void (*kLoad)(const std::byte*, ScaledBlock&), int kBlockBytes, bool kMinimum>
void Scaled(const MatMulJob& job) noexcept {
  Product<ScaledStep<false, kMinimum>>(
      job, [](const std::byte* row, const std::byte*, std::int64_t b, ScaledBlock& out) {
        kLoad(row + b * kBlockBytes, out);
      });
}

template <void (*kLoad)(const std::byte*, SuperBlock&), int kBlockBytes, bool kMinimum>
void Super(const MatMulJob& job) noexcept {
  Product<SuperStep<kMinimum>>(
      job, [](const std::byte* row, const std::byte*, std::int64_t b, ScaledSuperBlock& out) {
        SuperBlock block;
        kLoad(row + b * kBlockBytes, block);
        MultiplySubScales(block, out);
      });
}

void Mxfp4(const MatMulJob& job) noexcept {
  Product<ScaledStep<false, false>>(
      job, [](const std::byte* row, const std::byte* scales, std::int64_t b, ScaledBlock& out) {
        LoadMxfp4(row + b * 16, scales + b, out);
      });
}

void Nvfp4(const MatMulJob& job) noexcept {
  const float global_scale = job.weight.global_scale;
  Product<ScaledStep<true, false>>(
      job, [global_scale](const std::byte* row, const std::byte* scales, std::int64_t b,
                          ScaledBlock& out) {
        LoadNvfp4(row + b * 16, scales + 2 * b, global_scale, out);
      });
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
