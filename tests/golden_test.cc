// Every golden case of the forms that run, in both profiles, by the rules of `check model`.
#include <gtest/gtest.h>

#include "engine/load.h"
#include "eval/check_model.h"
#include "tests/golden_cases.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

void CheckAll(Profile profile) {
  HADAL_NEEDS_SHARED(shared);
  const std::vector<GoldenCase> cases = GoldenCases(shared);
  ASSERT_GE(cases.size(), 22u);
  for (const GoldenCase& golden : cases) {
    SCOPED_TRACE(golden.name);
    const auto expected = ReadExpected(golden.expected);
    ASSERT_TRUE(expected.ok()) << expected.status().ToString();
    CheckModelOptions options;
    options.profile = profile;
    const auto checkpoint = Checkpoint::Open(golden.model);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().ToString();
    const auto report = CheckModel(
        [&](Profile wanted) {
          LoadOptions load;
          load.profile = wanted;
          return LoadModel(*checkpoint, load);
        },
        *expected, options);
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_TRUE(report->ok) << report->ToText();
  }
}

TEST(Golden, FloatGivesTheVendorsAnswers) { CheckAll(Profile::kFloat); }
TEST(Golden, FastStaysWithinItsBound) { CheckAll(Profile::kFast); }

}  // namespace
}  // namespace hadal
