// The contract of the row-wise kernels: one call works on one row (ops/elementwise.h states the
// arithmetic). No address needs any alignment; outputs may be inputs only where that is said. Plain
// on purpose, see matmul/kernel.h.
#pragma once

#include <cstdint>

namespace hadal {

// Pairs of one head: interleaved (x[2i], x[2i+1]) or half (x[i], x[i + half]). y may be x.
struct RopeRow {
  const float* x = nullptr;
  float* y = nullptr;
  const float* cos = nullptr;  // [half]
  const float* sin = nullptr;  // [half]
  std::int64_t half = 0;
};

struct RmsNormRow {
  const float* x = nullptr;
  const float* weight = nullptr;
  float epsilon = 0.0f;
  std::int64_t n = 0;
  float* y = nullptr;  // may be x
};

struct RowTable {
  void (*rms_norm)(const RmsNormRow& row) noexcept;
  // y = silu(gate) * up; y may be gate.
  void (*silu_mul)(const float* gate, const float* up, std::int64_t n, float* y) noexcept;
  // y += x.
  void (*add)(const float* x, std::int64_t n, float* y) noexcept;
  // y = fma(weight, x, y).
  void (*add_scaled)(const float* x, float weight, std::int64_t n, float* y) noexcept;
  void (*rope_interleaved)(const RopeRow& row) noexcept;
  void (*rope_half)(const RopeRow& row) noexcept;
  // Rounds to bf16, nearest even; y is not aligned.
  void (*to_bf16)(const float* x, std::int64_t n, std::uint16_t* y) noexcept;
  // y = Exp(x - shift); gives back the sum of y in the order "lanes". y may be x.
  float (*exp_sum)(const float* x, float shift, std::int64_t n, float* y) noexcept;
  // y = Sigmoid(x). y may be x.
  void (*sigmoid)(const float* x, std::int64_t n, float* y) noexcept;
};

}  // namespace hadal
