#include "sample/weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"

namespace hadal {
namespace {

TEST(Weights, AreExponentials) {
  std::vector<float> logits;
  for (int i = 0; i <= 20000; ++i) logits.push_back(-static_cast<float>(i) / 200.0f);
  std::vector<float> weights(logits.size());
  const double total = WeighLogits(logits, 0.0f, 1.0f, weights);
  double expected_total = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double exact = std::exp(static_cast<double>(logits[i]));
    expected_total += exact;
    if (logits[i] > -87.0f)
      EXPECT_NEAR(weights[i] / exact, 1.0, 4e-7) << logits[i];
    else
      EXPECT_EQ(weights[i], 0.0f);
  }
  EXPECT_EQ(weights[0], 1.0f);
  EXPECT_NEAR(total / expected_total, 1.0, 1e-7);
}

TEST(Weights, NeverRiseAsLogitsFall) {
  std::vector<float> logits, weights(300001);
  float logit = 0.0f;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    logits.push_back(logit);
    logit = std::nextafter(logit, -1000.0f) * 1.00003f;
  }
  WeighLogits(logits, 0.0f, 1.0f, weights);
  // The polynomial is not monotone to the last bit; a rise beyond its error would be a fault.
  for (std::size_t i = 1; i < weights.size(); ++i)
    ASSERT_LE(weights[i], weights[i - 1] * (1 + 4e-7f)) << logits[i];
}

TEST(Weights, TemperatureAndImpossibleTokens) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> logits = {2.0f, 1.0f, -inf};
  std::vector<float> weights(3);
  WeighLogits(logits, 2.0f, 0.5f, weights);
  EXPECT_NEAR(weights[1], std::exp(-2.0), 1e-7);
  EXPECT_EQ(weights[2], 0.0f);
  WeighLogits(logits, 2.0f, 1e-30f, weights);
  EXPECT_EQ(weights[0], 1.0f);
  EXPECT_EQ(weights[1], 0.0f);
}

TEST(Largest, FirstOfEqualsAnywhere) {
  Random random(1);
  for (std::size_t size = 1; size < 60; ++size) {
    for (int round = 0; round < 20; ++round) {
      std::vector<float> logits(size);
      for (float& logit : logits) logit = static_cast<float>(random.Below(5)) - 7.0f;
      const auto expected = std::max_element(logits.begin(), logits.end());  // the first one
      const Largest largest = FindLargest(logits);
      EXPECT_EQ(largest.value, *expected);
      EXPECT_EQ(largest.index, static_cast<std::size_t>(expected - logits.begin()));
      EXPECT_TRUE(largest.sound);
      for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        std::vector<float> broken = logits;
        broken[random.Below(size)] = bad;
        EXPECT_FALSE(FindLargest(broken).sound);
      }
    }
  }
  EXPECT_FALSE(FindLargest(std::vector<float>(9, -std::numeric_limits<float>::infinity())).sound);
}

}  // namespace
}  // namespace hadal
