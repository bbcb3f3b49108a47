// `hadal bench kernels`: the matmul of every weight format on every instruction set level, over a
// few shapes and numbers of rows: bytes and operations per second, and the share of what this
// machine can read (docs/cli.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "numeric/weight_format.h"

namespace hadal {

struct KernelShape {
  std::int64_t outputs = 0, inputs = 0;  // inputs: a multiple of 256
};

struct KernelBenchOptions {
  std::string isa;  // one level; empty: every level of this machine
  int threads = 0;
  std::vector<KernelShape> shapes = {{576, 1536}, {2048, 2048}, {7168, 2048}};
  std::vector<std::int64_t> rows = {1, 8, 512};
  double seconds = 0.03;  // for each figure and pass, at least
  // Everything is measured so often, one pass after the other, and the fastest run counts: a core
  // that something else held for a while does not make one format look slow.
  int passes = 2;
  std::uint64_t weight_bytes = 256ull << 20;  // copies of a weight that no cache holds together
  std::uint64_t sweep_bytes = 2ull << 30;
  std::function<void(std::int64_t done, std::int64_t all)> progress;
};

struct KernelTiming {
  std::string isa;
  WeightFormat format = WeightFormat::kF32;
  KernelShape shape;
  std::int64_t rows = 0;
  double bytes_per_second = 0;       // of stored weights
  double operations_per_second = 0;  // two for each weight and row
  double bandwidth_ratio = 0;        // bytes per second over the read bandwidth
};

// The format that moves the fewest bytes per second with one row, on one level and shape.
struct SlowestFormat {
  std::string isa;
  KernelShape shape;
  WeightFormat format = WeightFormat::kF32;
  double share_of_best = 0;
};

struct KernelBenchReport {
  int threads = 0;
  double read_bandwidth_bytes_per_second = 0;  // the fastest sweep between the measurements
  std::vector<KernelTiming> timings;
  std::vector<SlowestFormat> slowest;

  std::string ToJson() const;
  std::string ToText() const;
};

// Fails where the level is unknown or memory is short.
Result<KernelBenchReport> BenchKernels(const KernelBenchOptions& options);

}  // namespace hadal
