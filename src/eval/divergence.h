// How far two sets of next-token distributions are apart.
#pragma once

#include <span>

namespace hadal {

// Sums over positions; divide by `positions`.
struct Divergence {
  double max_abs_diff = 0;  // of logits
  double kl_sum = 0;        // KL(expected || found), nats
  long top1_equal = 0;      // positions whose likeliest token is the same
  long positions = 0;

  // Adds the rows of two [positions, vocabulary] tables of logits.
  void Add(std::span<const float> expected, std::span<const float> found, long vocabulary);
  double mean_kl() const { return positions > 0 ? kl_sum / static_cast<double>(positions) : 0; }
  double top1_agreement() const {
    return positions > 0 ? static_cast<double>(top1_equal) / static_cast<double>(positions) : 0;
  }
};

// ln(sum of exp(logits)), in double.
double LogSumExpDouble(std::span<const float> logits);

}  // namespace hadal
