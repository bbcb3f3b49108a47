#include "kernels/attention/test_softmax.h"

#include <algorithm>
#include <cmath>

#include "numeric/formats.h"

namespace hadal::kernel_test {
namespace {

// What the form makes of a cached number.
double AsRead(const SoftmaxCase& c, float value) {
  return static_cast<double>(c.bf16 ? Bf16ToF32(F32ToBf16(value)) : value);
}

}  // namespace

// Errors of the f32 form: the score by (width / 16 + 6) roundings of sum |q k| * scale and the
// difference from the largest by one, which the exponential turns into a relative error of p; the
// weighted sum by a rounding a key and two a block. The bf16 form also rounds each query's columns,
// and each weight once, by 2^-8 at most: a score is off by that share of sum |q k| * scale, and a
// weight by that share of itself, in the weighted sum and in the sum of weights alike.
Exact SoftmaxInDouble(const SoftmaxCase& c) {
  std::vector<double> score;
  double top = -1e300, lowest = 1e300, score_error = 0.0;
  for (const float* key : c.keys) {
    double dot = 0.0, size = 0.0;
    for (std::int64_t i = 0; i < c.width; ++i) {
      const double product = static_cast<double>(c.q[i]) * AsRead(c, key[i]);
      dot += product;
      size += std::fabs(product);
    }
    score.push_back(dot * c.scale);
    top = std::max(top, score.back());
    lowest = std::min(lowest, score.back());
    const double of_size =
        (static_cast<double>(c.width) / 16 + 7) * 0x1p-24 + (c.bf16 ? 0x1p-8 : 0);
    score_error = std::max(score_error, of_size * size * c.scale);
  }
  double sum = 0.0;
  for (const double s : score) sum += std::exp(s - top);
  double spread = top - lowest;
  if (c.sink) {
    sum += std::exp(static_cast<double>(*c.sink) - top);
    spread = std::max(spread, std::fabs(static_cast<double>(*c.sink) - top));
  }
  const auto seen = static_cast<double>(c.keys.size());
  double of_weight = score_error + (spread + 4) * 0x1p-24;
  if (c.bf16) {
    of_weight = std::exp(of_weight) * (1 + 0x1p-8) - 1;
    of_weight /= 1 - of_weight;
  }
  const double relative = 2 * of_weight + (seen + seen / 16 + 8) * 0x1p-23;
  Exact exact;
  for (std::int64_t d = 0; d < c.value_width; ++d) {
    double y = 0.0, size = 0.0;
    for (std::size_t j = 0; j < score.size(); ++j) {
      const double part = std::exp(score[j] - top) / sum * AsRead(c, c.values[j][d]);
      y += part;
      size += std::fabs(part);
    }
    exact.y.push_back(y);
    exact.bound.push_back(relative * size + 1e-30);
  }
  return exact;
}

}  // namespace hadal::kernel_test
