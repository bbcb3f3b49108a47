#include "kernels/rows/rows.h"

#include <cmath>

#include "kernels/lanes_ref.h"
#include "numeric/formats.h"
#include "numeric/math.h"

namespace hadal {
namespace {

void RmsNormRef(const RmsNormRow& row) noexcept {
  const float sum = DotLanesRef(row.x, row.x, row.n);
  const float scale = 1.0f / std::sqrt(sum / static_cast<float>(row.n) + row.epsilon);
  for (std::int64_t i = 0; i < row.n; ++i) row.y[i] = (row.x[i] * scale) * row.weight[i];
}

void SiluMulRef(const float* gate, const float* up, std::int64_t n, float* y) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] = Silu(gate[i]) * up[i];
}

void AddRef(const float* x, std::int64_t n, float* y) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

void AddScaledRef(const float* x, float weight, std::int64_t n, float* y) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] = std::fma(weight, x[i], y[i]);
}

// Four products and two sums, each rounded, as the models' reference code has it.
void RotatePair(float cosine, float sine, float a, float b, float* to_a, float* to_b) {
  *to_a = a * cosine - b * sine;
  *to_b = a * sine + b * cosine;
}

void RopeInterleavedRef(const RopeRow& row) noexcept {
  for (std::int64_t i = 0; i < row.half; ++i)
    RotatePair(row.cos[i], row.sin[i], row.x[2 * i], row.x[2 * i + 1], &row.y[2 * i],
               &row.y[2 * i + 1]);
}

void RopeHalfRef(const RopeRow& row) noexcept {
  for (std::int64_t i = 0; i < row.half; ++i)
    RotatePair(row.cos[i], row.sin[i], row.x[i], row.x[i + row.half], &row.y[i],
               &row.y[i + row.half]);
}

void ToBf16Ref(const float* x, std::int64_t n, std::uint16_t* y) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] = F32ToBf16(x[i]);
}

float ExpSumRef(const float* x, float shift, std::int64_t n, float* y) noexcept {
  LanesRef lanes;
  for (std::int64_t i = 0; i < n; ++i) {
    y[i] = Exp(x[i] - shift);
    lanes.lane[i % 16] += y[i];
  }
  return lanes.Total();
}

void SigmoidRef(const float* x, std::int64_t n, float* y) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] = Sigmoid(x[i]);
}

}  // namespace

void FillRowsRef(RowTable* table) {
  *table = RowTable{
      .rms_norm = RmsNormRef,
      .silu_mul = SiluMulRef,
      .add = AddRef,
      .add_scaled = AddScaledRef,
      .rope_interleaved = RopeInterleavedRef,
      .rope_half = RopeHalfRef,
      .to_bf16 = ToBf16Ref,
      .exp_sum = ExpSumRef,
      .sigmoid = SigmoidRef,
  };
}

}  // namespace hadal
