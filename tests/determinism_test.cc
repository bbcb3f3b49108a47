// The determinism check on every golden case: its longest stored prompt, all settings but child
// processes (levels are tried in this one, opened one after another); level `amx` emulated too.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "engine/load.h"
#include "eval/determinism.h"
#include "eval/expected.h"
#include "kernels/cpu_level.h"
#include "kernels/test_emulated.h"
#include "tests/golden_cases.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

void HoldsIn(Profile profile, const std::function<bool(const std::string& name)>& wanted) {
  HADAL_NEEDS_SHARED(shared);
  for (const GoldenCase& golden : GoldenCases(shared)) {
    if (!wanted(golden.name)) continue;
    SCOPED_TRACE(golden.name);
    const auto expected = ReadExpected(golden.expected);
    ASSERT_TRUE(expected.ok()) << expected.status().ToString();
    const auto checkpoint = Checkpoint::Open(golden.model);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().ToString();
    const DeterminismFactory open = [&](int threads, const std::string& isa) {
      LoadOptions load;
      load.profile = profile;
      load.threads = threads;
      load.isa = isa;
      load.model.draft = DraftUse::kIfAble;
      if (auto ops = MakeEmulatedOps(isa, profile, threads))
        return LoadModel(*checkpoint, std::move(ops), load);
      return LoadModel(*checkpoint, load);
    };
    DeterminismOptions options;
    options.prompt = std::max_element(expected->prompts.begin(), expected->prompts.end(),
                                      [](const ExpectedPrompt& a, const ExpectedPrompt& b) {
                                        return a.ids.size() < b.ids.size();
                                      })
                         ->ids;
    options.steps = 8;
    for (const CpuLevelInfo& level : AllCpuLevels())
      if (Supports(DetectCpuFeatures(), level.level)) options.isa_levels.emplace_back(level.name);
    if (profile == Profile::kFast)  // the only one whose products use tiles
      for (const EmulatedLevel& level : EmulatedLevels())
        options.isa_levels.emplace_back(level.name);
    const auto report =
        CheckDeterminism(open, options, [&](const std::string& isa) -> Result<std::string> {
          auto model = open(0, isa);
          if (!model.ok()) return model.status();
          return DeterminismHash(**model, {}, options);
        });
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_TRUE(report->ok()) << report->ToText();
  }
}

TEST(Determinism, HoldsOnEveryGoldenCase) {
  HoldsIn(Profile::kFast, [](const std::string&) { return true; });
}
// The forms whose release code quantises activations.
TEST(Determinism, HoldsInReference) {
  HoldsIn(Profile::kReference, [](const std::string& name) {
    return name.find("fp8") != name.npos || name == "v32_a" || name == "deepseek_v41_c";
  });
}

}  // namespace
}  // namespace hadal
