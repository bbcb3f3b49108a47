#include "sample/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/random.h"
#include "sample/log_probability.h"
#include "sample/ranking.h"

namespace hadal {
namespace {

std::vector<float> RandomLogits(std::uint64_t seed, std::size_t count) {
  Random random(seed);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = 3.0f * random.Normal();
  return logits;
}

std::int32_t Draw(const SamplingOptions& options, std::span<const float> logits,
                  std::int64_t position) {
  Sampler sampler(options, {});
  const auto sampled = sampler.Next(logits, position);
  EXPECT_TRUE(sampled.ok());
  return sampled->token;
}

// How often each token is drawn over many positions.
std::map<std::int32_t, int> Count(const SamplingOptions& options, std::span<const float> logits,
                                  int draws) {
  std::map<std::int32_t, int> counts;
  for (int position = 0; position < draws; ++position) ++counts[Draw(options, logits, position)];
  return counts;
}

// The tokens that may be drawn and their probabilities, straight from the definitions, in double.
std::map<std::int32_t, double> Allowed(const SamplingOptions& options,
                                       std::span<const float> logits) {
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto weight = [&](std::int32_t id) {
    return std::exp(static_cast<double>(logits[static_cast<std::size_t>(id)]) /
                    static_cast<double>(options.temperature));
  };
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return weight(a) != weight(b) ? weight(a) > weight(b) : a < b;
  });
  if (options.top_k > 0) order.resize(static_cast<std::size_t>(options.top_k));
  double total = 0;
  for (const std::int32_t id : order) total += weight(id);
  std::map<std::int32_t, double> allowed;
  double kept = 0;
  for (const std::int32_t id : order) {
    const double p = weight(id);
    if (!allowed.empty() && (kept >= static_cast<double>(options.top_p) * total ||
                             p < static_cast<double>(options.min_p) * weight(order[0])))
      break;
    allowed[id] = p;
    kept += p;
  }
  for (auto& [id, p] : allowed) p /= kept;
  return allowed;
}

TEST(Sampler, GreedyTakesTheFirstOfEquals) {
  SamplingOptions options;
  options.temperature = 0.0f;
  const std::vector<float> logits = {1.0f, 7.0f, -2.0f, 7.0f};
  EXPECT_EQ(Draw(options, logits, 0), 1);
}

TEST(Sampler, DrawsTheDistribution) {
  const std::vector<float> logits = RandomLogits(1, 40);
  std::vector<SamplingOptions> all(6);
  all[1].temperature = 0.5f;
  all[2].top_k = 5;
  all[3].top_p = 0.7f;
  all[4].min_p = 0.1f;
  all[5].temperature = 1.5f, all[5].top_k = 20, all[5].top_p = 0.9f, all[5].min_p = 0.02f;
  constexpr int kDraws = 20000;
  for (const SamplingOptions& options : all) {
    const auto allowed = Allowed(options, logits);
    const auto counts = Count(options, logits, kDraws);
    for (const auto& [id, count] : counts) {
      ASSERT_TRUE(allowed.count(id)) << id;
      const double expected = allowed.at(id) * kDraws;
      EXPECT_NEAR(count, expected, 5 * std::sqrt(expected) + 1) << id;
    }
    for (const auto& [id, p] : allowed)
      if (p > 0.001) {
        EXPECT_TRUE(counts.count(id)) << id;
      }
  }
}

TEST(Sampler, OneNumberAPositionSeedAndChoice) {
  const std::vector<float> logits = RandomLogits(2, 1000);
  SamplingOptions options;
  options.seed = 7;
  std::vector<std::int32_t> first, again, other_seed, other_choice;
  Sampler one(options, {});
  for (int position = 0; position < 50; ++position)
    first.push_back(one.Next(logits, position)->token);
  for (int position = 49; position >= 0; --position)
    again.insert(again.begin(), Draw(options, logits, position));
  options.seed = 8;
  for (int position = 0; position < 50; ++position)
    other_seed.push_back(Draw(options, logits, position));
  options.seed = 7, options.choice = 1;
  for (int position = 0; position < 50; ++position)
    other_choice.push_back(Draw(options, logits, position));
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other_seed);
  EXPECT_NE(first, other_choice);
}

// Filters that keep everything must not change the draw.
TEST(Sampler, NeutralFiltersChangeNothing) {
  const std::vector<float> logits = RandomLogits(3, 500);
  SamplingOptions plain, full;
  full.top_k = 500;
  for (int position = 0; position < 200; ++position)
    EXPECT_EQ(Draw(plain, logits, position), Draw(full, logits, position));
}

TEST(Sampler, NeverDrawsAnImpossibleToken) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> logits = {-inf, 1.0f, -inf, 1.0f, -inf};
  const auto counts = Count({}, logits, 1000);
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_NEAR(counts.at(1), 500, 100);
}

TEST(Sampler, PenaltiesByHand) {
  // Token 0 stands in the prompt, token 1 was answered twice, token 2 in neither.
  SamplingOptions options;
  options.temperature = 0.0f;
  options.repetition_penalty = 2.0f;
  {
    const std::vector<std::int32_t> prompt = {0};
    Sampler sampler(options, prompt);
    EXPECT_EQ(sampler.Next(std::vector<float>{3.9f, 1.0f, 2.0f}, 0)->token, 2);  // 1.95 < 2
  }
  {
    const std::vector<std::int32_t> prompt = {0};
    Sampler sampler(options, prompt);
    EXPECT_EQ(sampler.Next(std::vector<float>{-1.0f, -3.0f, -1.9f}, 0)->token, 2);  // -2 < -1.9
  }
  options.repetition_penalty = 1.0f;
  options.presence_penalty = 0.5f;
  options.frequency_penalty = 0.25f;
  Sampler sampler(options, std::vector<std::int32_t>{1});
  const std::vector<float> even = {1.0f, 1.9f, 1.0f};
  EXPECT_EQ(sampler.Next(even, 0)->token, 1);  // the prompt does not count
  EXPECT_EQ(sampler.Next(even, 1)->token, 1);  // 1.9 - 0.75 = 1.15
  EXPECT_EQ(sampler.Next(even, 2)->token, 0);  // 1.9 - 1.0 = 0.9
  EXPECT_EQ(sampler.Next(even, 3)->token, 2);  // 0.25, 0.9, 1.0
}

TEST(Sampler, BiasForcesAndForbids) {
  const std::vector<float> logits = RandomLogits(4, 30);
  SamplingOptions options;
  options.logit_bias = {{17, 100.0f}};
  for (int position = 0; position < 50; ++position) EXPECT_EQ(Draw(options, logits, position), 17);
  options.logit_bias = {{17, -1000.0f}};
  for (const auto& [id, count] : Count(options, logits, 1000)) EXPECT_NE(id, 17);
}

TEST(Sampler, LogProbabilitiesAreTheModels) {
  const std::vector<float> logits = RandomLogits(5, 200);
  SamplingOptions options;
  options.temperature = 0.3f;  // must not show
  options.log_probabilities = 4;
  Sampler sampler(options, {});
  const auto sampled = sampler.Next(logits, 0);
  ASSERT_TRUE(sampled.ok());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  const auto exact = [&](std::int32_t id) {
    return static_cast<double>(logits[static_cast<std::size_t>(id)]) - std::log(sum);
  };
  EXPECT_NEAR(sampled->log_probability, exact(sampled->token), 1e-5);
  ASSERT_EQ(sampled->top.size(), 4u);
  std::vector<float> sorted = logits;
  std::sort(sorted.rbegin(), sorted.rend());
  for (std::size_t i = 0; i < 4; ++i) {
    const std::int32_t id = sampled->top[i].token;
    EXPECT_EQ(logits[static_cast<std::size_t>(id)], sorted[i]);
    EXPECT_NEAR(sampled->top[i].log_probability, exact(id), 1e-5);
  }
}

TEST(Sampler, RefusesRowsThatWentWrong) {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<float>& row : {std::vector<float>{1, nan, 2}, std::vector<float>{nan},
                                        std::vector<float>{1, inf}, std::vector<float>{-inf, -inf}})
    EXPECT_FALSE(Sampler({}, {}).Next(row, 3).ok());
}

TEST(Sampler, ChecksOptions) {
  EXPECT_TRUE(CheckSampling({}, 10).ok());
  const auto refused = [](auto change) {
    SamplingOptions options;
    change(options);
    const Status status = CheckSampling(options, 10);
    return status.code() == Code::kUsage;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(refused([](SamplingOptions& o) { o.temperature = -1.0f; }));
  EXPECT_TRUE(refused([&](SamplingOptions& o) { o.temperature = nan; }));
  EXPECT_TRUE(refused([](SamplingOptions& o) { o.top_k = -1; }));
  EXPECT_TRUE(refused([](SamplingOptions& o) { o.top_p = 1.5f; }));
  EXPECT_TRUE(refused([](SamplingOptions& o) { o.min_p = -0.1f; }));
  EXPECT_TRUE(refused([](SamplingOptions& o) { o.repetition_penalty = 0.0f; }));
  EXPECT_TRUE(refused([&](SamplingOptions& o) { o.presence_penalty = nan; }));
  EXPECT_TRUE(refused([](SamplingOptions& o) { o.logit_bias = {{10, 1.0f}}; }));
  EXPECT_TRUE(refused([](SamplingOptions& o) { o.log_probabilities = -2; }));
}

TEST(Ranking, EqualsAFullSort) {
  Random random(6);
  std::vector<float> weights(3000);
  for (float& weight : weights) {
    const double u = random.Uniform();
    weight = static_cast<float>(u * u * u * u * u * u);
    if (random.Below(4) == 0) weight = 0.25f;  // many ties
    if (random.Below(10) == 0) weight = 0.0f;
  }
  weights[777] = 1.0f;
  std::vector<std::int32_t> expected(weights.size());
  std::iota(expected.begin(), expected.end(), 0);
  std::sort(expected.begin(), expected.end(), [&](std::int32_t a, std::int32_t b) {
    const float wa = weights[static_cast<std::size_t>(a)];
    const float wb = weights[static_cast<std::size_t>(b)];
    return wa != wb ? wa > wb : a < b;
  });
  Ranking ranking(weights);
  for (std::size_t rank = 0; rank < expected.size(); ++rank)
    ASSERT_EQ(ranking.At(rank), expected[rank]) << rank;
}

}  // namespace
}  // namespace hadal
