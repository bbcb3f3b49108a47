#include "eval/layer_error.h"

#include <gtest/gtest.h>

namespace hadal {
namespace {

// The bounds are what the simulation says, times 1.5: to a twentieth.
TEST(LayerError, BoundsFollowFromTheSimulation) {
  LayerErrorShape shape;
  shape.score_deviation = 4.0;
  for (const ActivationForm form : {ActivationForm::kF32, ActivationForm::kBF16,
                                    ActivationForm::kInt8x32, ActivationForm::kInt8x256}) {
    constexpr int kSeeds = 4;
    double sum = 0;
    for (int seed = 0; seed < kSeeds; ++seed)
      sum += SimulateLayerError(form, shape, static_cast<std::uint64_t>(seed));
    const double simulated = sum / kSeeds;
    EXPECT_NEAR(FastLayerBound(form) / (1.5 * simulated), 1.0, 0.05)
        << "form " << static_cast<int>(form) << " simulated " << simulated;
  }
}

}  // namespace
}  // namespace hadal
