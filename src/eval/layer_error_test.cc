#include "eval/layer_error.h"

#include <gtest/gtest.h>

namespace hadal {
namespace {

class LayerErrorBounds : public testing::TestWithParam<CacheForm> {};

// How much above the simulation a bound is. Those of bf16 keys stayed what they were when attention
// began to round queries and weights, which the coarser forms do not notice.
double Margin(CacheForm keys, std::size_t activation) {
  constexpr double kOfPlain[] = {1.12, 1.42, 1.5, 1.5};
  return keys == CacheForm::kPlain ? kOfPlain[activation] : 1.5;
}

// The bounds are what the simulation says, times the margin: to a twentieth.
TEST_P(LayerErrorBounds, FollowFromTheSimulation) {
  LayerErrorShape shape;
  shape.score_deviation = 4.0;
  constexpr int kSeeds = 4;
  LayerErrors mean{};
  for (int seed = 0; seed < kSeeds; ++seed) {
    const LayerErrors errors =
        SimulateLayerErrors(GetParam(), shape, static_cast<std::uint64_t>(seed));
    for (std::size_t form = 0; form < mean.size(); ++form) mean[form] += errors[form] / kSeeds;
  }
  for (std::size_t form = 0; form < mean.size(); ++form) {
    const FastForms forms{static_cast<ActivationForm>(form), GetParam()};
    EXPECT_NEAR(FastLayerBound(forms) / (Margin(GetParam(), form) * mean[form]), 1.0, 0.05)
        << "form " << form << " simulated " << mean[form];
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, LayerErrorBounds,
                         testing::Values(CacheForm::kPlain, CacheForm::kFp8Latent,
                                         CacheForm::kFp8Rope, CacheForm::kFp8Window,
                                         CacheForm::kFp4Entry));

}  // namespace
}  // namespace hadal
