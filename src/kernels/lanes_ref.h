// The order "lanes" of ops/matmul.h as plain scalar code: the definition that the reference kernels
// share.
#pragma once

#include <cmath>
#include <cstdint>

namespace hadal {

// Sixteen chains of fused steps, one a lane; column k belongs to lane k % 16.
struct LanesRef {
  float lane[16] = {};

  // Adds columns that begin at a multiple of 16. A short last group counts as padded with zeros:
  // the padding is added too, since it turns a lane of -0 into +0.
  void Accumulate(const float* a, const float* b, std::int64_t n) {
    for (std::int64_t k = 0; k < n; k += 16)
      for (std::int64_t j = 0; j < 16; ++j) {
        const bool inside = k + j < n;
        lane[j] = std::fma(inside ? a[k + j] : 0.0f, inside ? b[k + j] : 0.0f, lane[j]);
      }
  }

  float Total() const {
    float sum[16];
    for (int j = 0; j < 16; ++j) sum[j] = lane[j];
    for (int apart = 8; apart > 0; apart /= 2)
      for (int j = 0; j < apart; ++j) sum[j] += sum[j + apart];
    return sum[0];
  }
};

inline float DotLanesRef(const float* a, const float* b, std::int64_t n) {
  LanesRef lanes;
  lanes.Accumulate(a, b, n);
  return lanes.Total();
}

}  // namespace hadal
