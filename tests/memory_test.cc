// Memory as docs/cli.md defines it: what a run really holds is what `inspect` said.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "engine/load.h"
#include "engine/memory_estimate.h"
#include "eval/bench.h"
#include "eval/inspect.h"
#include "quant/synth.h"

namespace hadal {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOwnMemoryOnly = false;
#elif defined(__has_feature)
constexpr bool kOwnMemoryOnly =
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool kOwnMemoryOnly = true;
#endif

TEST(Memory, IsWhatInspectSays) {
  if (!kOwnMemoryOnly) GTEST_SKIP() << "a sanitizer's memory is counted with the program's";
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("hadal_memory_" + std::to_string(::getpid())))
          .string();
  SynthOptions synth;
  synth.shape = "tiny-v3";
  synth.out = folder;
  ASSERT_TRUE(WriteSynthetic(synth).ok());
  const auto checkpoint = Checkpoint::Open(folder);
  ASSERT_TRUE(checkpoint.ok());

  InspectOptions inspect;
  inspect.context_tokens = 8192;
  inspect.profile = Profile::kFloat;  // its cache is the largest
  LoadOptions load;
  load.profile = inspect.profile;
  inspect.engine_bytes = [&](const ModelSpec& spec, const CheckedTensors& tensors) {
    const auto bytes = EstimateMemory(spec, tensors, **checkpoint, load.model.step_tokens);
    return EngineBytes{bytes.derived_bytes, bytes.scratch_bytes, bytes.program_bytes};
  };
  const auto report = Inspect(**checkpoint, inspect);
  ASSERT_TRUE(report.ok());
  const InspectMemory& memory = report->memory;
  // So much that nobody can leave the cache out, or count it twice.
  constexpr double kMostOff = 32e6;
  ASSERT_GT(static_cast<double>(memory.cache_bytes), 2 * kMostOff);
  const auto predicted =
      static_cast<double>(memory.cache_bytes + memory.engine.derived_bytes +
                          memory.engine.scratch_bytes + memory.engine.program_bytes);

  BenchOptions bench;
  bench.prompt_tokens = 0;
  bench.generate_tokens = 2;
  bench.depth_tokens = inspect.context_tokens - 8;
  bench.fill = true;
  bench.repeat = 1;
  bench.sweep_seconds = 0.001;
  bench.sweep_bytes = 256 << 20;  // must not be counted
  const auto measured = Bench("tiny", [&] { return LoadModel(*checkpoint, load); }, bench);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(measured.ok()) << measured.status().ToString();
  EXPECT_NEAR(static_cast<double>(measured->peak_anonymous_bytes), predicted,
              std::max(kMostOff, 0.05 * predicted));
}

}  // namespace
}  // namespace hadal
