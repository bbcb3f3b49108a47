#include "sample/log_probability.h"

#include <algorithm>
#include <numeric>

#include "numeric/precise.h"
#include "sample/weights.h"

namespace hadal {

double LogPartition(std::span<const float> logits) {
  const float largest = FindLargest(logits).value;
  std::vector<float> weights(logits.size());
  return static_cast<double>(largest) + PreciseLog(WeighLogits(logits, largest, 1.0f, weights));
}

std::vector<TokenLogProbability> TopLogProbabilities(std::span<const float> logits,
                                                     double log_partition, std::int32_t count) {
  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto wanted = std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(ids.size()));
  std::partial_sort(ids.begin(), ids.begin() + wanted, ids.end(),
                    [logits](std::int32_t a, std::int32_t b) {
                      const float la = logits[static_cast<std::size_t>(a)];
                      const float lb = logits[static_cast<std::size_t>(b)];
                      return la != lb ? la > lb : a < b;
                    });
  std::vector<TokenLogProbability> top;
  for (std::ptrdiff_t i = 0; i < wanted; ++i) {
    const std::int32_t id = ids[static_cast<std::size_t>(i)];
    const auto logit = static_cast<double>(logits[static_cast<std::size_t>(id)]);
    top.push_back({id, static_cast<float>(logit - log_partition)});
  }
  return top;
}

}  // namespace hadal
