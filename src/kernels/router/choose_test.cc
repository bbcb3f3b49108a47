#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/test_matrix.h"
#include "tests/golden_tensors.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

using kernel_test::Levels;
using kernel_test::OpsAt;

struct Chosen {
  std::vector<std::int32_t> ids;
  std::vector<float> weights;
};

Chosen RunRoute(Ops& ops, const RouterRule& rule, const std::vector<float>& logits,
                const std::vector<float>& bias) {
  const auto rows = static_cast<std::int64_t>(logits.size()) / rule.experts;
  const auto wanted = static_cast<std::size_t>(rows * rule.experts_per_token);
  Chosen chosen{std::vector<std::int32_t>(wanted), std::vector<float>(wanted)};
  Route call;
  call.logits = HostView(logits.data(), DType::kF32, {rows, rule.experts});
  if (!bias.empty()) call.bias = HostView(bias.data(), DType::kF32, {rule.experts});
  call.ids = HostView(chosen.ids.data(), DType::kI32, {rows, rule.experts_per_token});
  call.weights = HostView(chosen.weights.data(), DType::kF32, {rows, rule.experts_per_token});
  ops.Run(call, rule);
  return chosen;
}

struct GoldenRule {
  const char* name;
  RouterRule rule;
};

constexpr RouterScore kSoftmax = RouterScore::kSoftmax, kSigmoid = RouterScore::kSigmoid;

// The rules of units/routing.json whose scores this version has.
const GoldenRule kGoldenRules[] = {
    {"softmax_greedy_v2lite",
     {.score = kSoftmax, .experts = 64, .experts_per_token = 6, .scale_always = false}},
    {"softmax_greedy_normalised",
     {.score = kSoftmax,
      .experts = 32,
      .experts_per_token = 4,
      .normalise = true,
      .scale_always = false,
      .scaling_factor = 3.0f}},
    {"group_limited_greedy_v2",
     {.score = kSoftmax,
      .groups = RouterGroups::kBest,
      .experts = 160,
      .experts_per_token = 6,
      .group_count = 8,
      .groups_kept = 3,
      .scale_always = false,
      .scaling_factor = 16.0f}},
    {"noaux_tc_v3",
     {.score = kSigmoid,
      .groups = RouterGroups::kTopTwo,
      .experts = 256,
      .experts_per_token = 8,
      .group_count = 8,
      .groups_kept = 4,
      .normalise = true,
      .scaling_factor = 2.5f}},
    {"noaux_tc_one_group",
     {.score = kSigmoid,
      .groups = RouterGroups::kTopTwo,
      .experts = 64,
      .experts_per_token = 6,
      .normalise = true,
      .scaling_factor = 2.446f}},
    {"noaux_tc_small",
     {.score = kSigmoid,
      .groups = RouterGroups::kTopTwo,
      .experts = 24,
      .experts_per_token = 3,
      .group_count = 4,
      .groups_kept = 2,
      .normalise = true}},
};

TEST(Router, Goldens) {
  HADAL_NEEDS_SHARED(shared);
  const GoldenTensors goldens(shared + "/golden/units/routing.safetensors");
  for (const std::string& level : Levels()) {
    const auto ops = OpsAt(level, Profile::kFloat);
    for (const auto& [name, rule] : kGoldenRules) {
      const std::string base = name;
      const GoldenTensor& ids = goldens[base + ".ids"];
      const GoldenTensor& weights = goldens[base + ".weights"];
      const bool biased = rule.score == kSigmoid;
      const Chosen chosen =
          RunRoute(*ops, rule, goldens[base + ".logits"].Floats(),
                   biased ? goldens[base + ".bias"].Floats() : std::vector<float>{});
      // The goldens list experts by rank; ours come ascending.
      const std::int64_t count = rule.experts_per_token;
      for (std::int64_t r = 0; r < ids.rows(); ++r)
        for (std::int64_t k = 0; k < count; ++k) {
          const auto begin = chosen.ids.begin() + r * count;
          const auto found = std::find(begin, begin + count, ids.I64(r * count + k));
          ASSERT_NE(found, begin + count) << base << " row " << r << " at " << level;
          const float got = chosen.weights[static_cast<std::size_t>(found - chosen.ids.begin())];
          const float want = weights.F32(r * count + k);
          // A few roundings of exponentials, sums and quotients on each side.
          EXPECT_NEAR(got, want, 32 * 0x1p-24f * std::fabs(want)) << base << " row " << r;
        }
    }
  }
}

TEST(Router, EqualScoresGoToTheLowerIndex) {
  const auto ops = OpsAt("ref", Profile::kFloat);
  RouterRule rule{.score = kSigmoid, .experts = 8, .experts_per_token = 3};
  EXPECT_EQ(RunRoute(*ops, rule, std::vector<float>(8, 0.5f), {}).ids,
            (std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_EQ(RunRoute(*ops, rule, {0, 1, 0, 1, 0, 1, 0, 1}, {}).ids,
            (std::vector<std::int32_t>{1, 3, 5}));
  rule.groups = RouterGroups::kTopTwo;
  rule.group_count = 4;
  rule.groups_kept = 2;
  EXPECT_EQ(RunRoute(*ops, rule, {0, 0, 1, 1, 1, 1, 0, 0}, {}).ids,
            (std::vector<std::int32_t>{2, 3, 4}));
}

TEST(Router, BiasChoosesAndDoesNotWeigh) {
  const auto ops = OpsAt("ref", Profile::kFloat);
  const RouterRule rule{.score = kSigmoid, .experts = 4, .experts_per_token = 1};
  const Chosen chosen = RunRoute(*ops, rule, {3, 0, 0, 0}, {0, 0, 9, 0});
  EXPECT_EQ(chosen.ids[0], 2);
  EXPECT_EQ(chosen.weights[0], 0.5f);
}

TEST(Router, BiasBelowZeroStaysInsideTheKeptGroups) {
  const auto ops = OpsAt("ref", Profile::kFloat);
  const RouterRule rule{.score = kSigmoid,
                        .groups = RouterGroups::kTopTwo,
                        .experts = 4,
                        .experts_per_token = 2,
                        .group_count = 2,
                        .groups_kept = 1};
  // Group 1 is kept although all of its biased scores are negative.
  EXPECT_EQ(RunRoute(*ops, rule, {0, 0, 0, 0}, {-9, -9, -2, -3}).ids,
            (std::vector<std::int32_t>{2, 3}));
}

TEST(Router, AsManyGroupsAsThereAreExperts) {
  const auto ops = OpsAt("ref", Profile::kFloat);
  const RouterRule rule{.score = kSoftmax,
                        .groups = RouterGroups::kBest,
                        .experts = 200,
                        .experts_per_token = 2,
                        .group_count = 200,
                        .groups_kept = 3};
  std::vector<float> logits(200);
  logits[70] = 3.0f;
  logits[190] = 2.0f;
  logits[5] = 1.0f;
  EXPECT_EQ(RunRoute(*ops, rule, logits, {}).ids, (std::vector<std::int32_t>{70, 190}));
}

TEST(Router, OneExpertMayStayUnnormalised) {
  const auto ops = OpsAt("ref", Profile::kFloat);
  RouterRule rule{.experts = 2,
                  .experts_per_token = 1,
                  .normalise = true,
                  .scale_always = false,
                  .normalise_single = false,
                  .scaling_factor = 4.0f};
  EXPECT_EQ(RunRoute(*ops, rule, {0, 0}, {}).weights[0], 2.0f);
  rule.normalise_single = true;
  EXPECT_EQ(RunRoute(*ops, rule, {0, 0}, {}).weights[0], 1.0f);
}

TEST(Router, IdsAreValidWhateverTheLogitsAre) {
  const auto ops = OpsAt("ref", Profile::kFloat);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const RouterScore score : {kSoftmax, kSigmoid}) {
    const RouterRule rule{.score = score, .experts = 4, .experts_per_token = 3};
    for (const auto& logits :
         {std::vector<float>{nan, nan, nan, nan}, std::vector<float>{nan, 1, nan, 2},
          std::vector<float>{-inf, -inf, -inf, -inf}, std::vector<float>{inf, nan, inf, -inf}}) {
      const Chosen chosen = RunRoute(*ops, rule, logits, {});
      EXPECT_TRUE(0 <= chosen.ids[0] && chosen.ids[0] < chosen.ids[1] &&
                  chosen.ids[1] < chosen.ids[2] && chosen.ids[2] < 4);
    }
  }
  const RouterRule sigmoid{.score = kSigmoid, .experts = 4, .experts_per_token = 2};
  EXPECT_EQ(RunRoute(*ops, sigmoid, {nan, 1, nan, 2}, {}).ids, (std::vector<std::int32_t>{1, 3}));
}

}  // namespace
}  // namespace hadal
