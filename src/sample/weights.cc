#include "sample/weights.h"

#include <array>
#include <bit>
#include <cstdint>
#include <limits>

namespace hadal {
namespace {

constexpr std::size_t kLanes = 8;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// e^x for x <= 0: x = n ln 2 + r, |r| <= ln(2) / 2; Taylor polynomial of degree 7 in r (the first
// term left out is below 2e-8 of the result), then n is added to the exponent.
inline float ExpOfNonPositive(float x) {
  constexpr float kLowest = -87.0f;         // the result is still a normal number
  constexpr float kRoundMagic = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  constexpr std::int32_t kRoundMagicBits = 0x4b400000;
  const float clamped = x > kLowest ? x : kLowest;
  const float shifted = clamped * 0x1.715476p+0f + kRoundMagic;
  const float n = shifted - kRoundMagic;
  const float r = (clamped - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;  // ln 2 in two parts
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - kRoundMagicBits;
  const float result = std::bit_cast<float>(std::bit_cast<std::int32_t>(p) + exponent * (1 << 23));
  return x > kLowest ? result : 0.0f;
}

}  // namespace

Largest FindLargest(std::span<const float> logits) {
  std::array<float, kLanes> most;
  std::array<std::int32_t, kLanes> unsound{};
  most.fill(-kInfinity);
  std::size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float value = logits[i + lane];
      most[lane] = value > most[lane] ? value : most[lane];
      unsound[lane] |= value < kInfinity ? 0 : 1;  // 1 for NaN as well
    }
  }
  for (; i < logits.size(); ++i) {
    most[0] = logits[i] > most[0] ? logits[i] : most[0];
    unsound[0] |= logits[i] < kInfinity ? 0 : 1;
  }
  Largest largest{-kInfinity, 0, true};
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (most[lane] > largest.value) largest.value = most[lane];
    largest.sound &= unsound[lane] == 0;
  }
  largest.sound &= largest.value > -kInfinity;
  while (largest.index + 1 < logits.size() && logits[largest.index] != largest.value)
    ++largest.index;
  return largest;
}

double WeighLogits(std::span<const float> logits, float largest, float temperature,
                   std::span<float> weights) {
  for (std::size_t i = 0; i < logits.size(); ++i)
    weights[i] = ExpOfNonPositive((logits[i] - largest) / temperature);
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= weights.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += static_cast<double>(weights[i + lane]);
  for (std::size_t lane = 0; i < weights.size(); ++i, ++lane)
    sums[lane] += static_cast<double>(weights[i]);
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace hadal
