// The benchmark of kernels, run short: every format is there, and the figures belong together.
#include "eval/bench_kernels.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace hadal {
namespace {

TEST(BenchKernels, ListsEveryFormat) {
  KernelBenchOptions options;
  options.isa = "ref";
  options.threads = 1;
  options.seconds = 0;
  options.weight_bytes = 1;
  options.sweep_bytes = 1 << 20;
  options.shapes = {{96, 256}, {64, 512}};
  options.rows = {1, 2};
  std::int64_t calls = 0;
  options.progress = [&calls](std::int64_t done, std::int64_t all) {
    ++calls;
    EXPECT_LE(done, all);
  };
  const Result<KernelBenchReport> report = BenchKernels(options);
  ASSERT_TRUE(report.ok());
  const std::size_t formats = AllWeightFormats().size();
  EXPECT_EQ(report->timings.size(), 2 * 2 * formats);
  EXPECT_EQ(calls, static_cast<std::int64_t>(2 * formats) * options.passes);
  for (const KernelTiming& timing : report->timings) {
    EXPECT_GT(timing.bytes_per_second, 0);
    // Two operations for each weight and row, and between half a byte and four bytes a weight.
    const double operations_per_byte = timing.operations_per_second / timing.bytes_per_second;
    EXPECT_GE(operations_per_byte, 0.49 * static_cast<double>(timing.rows));
    EXPECT_LE(operations_per_byte, 4.0 * static_cast<double>(timing.rows));
  }
  ASSERT_EQ(report->slowest.size(), 2u);
  EXPECT_LE(report->slowest[0].share_of_best, 1.0);
  const auto json = ParseJson(report->ToJson(), "report");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->root().Find("kernels")->items().size(), report->timings.size());
  EXPECT_NE(report->ToText().find("MXFP4_SPLIT"), std::string::npos);
}

TEST(BenchKernels, RefusesAnUnknownLevel) {
  KernelBenchOptions options;
  options.isa = "mmx";
  EXPECT_FALSE(BenchKernels(options).ok());
}

}  // namespace
}  // namespace hadal
