#include "eval/bench_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/json.h"
#include "base/random.h"
#include "eval/bandwidth.h"
#include "kernels/cpu_level.h"
#include "kernels/cpu_ops.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

constexpr std::int64_t kSlowSlice = 64;  // outputs of a first try
constexpr double kLongestSeconds = 0.1;  // for one product; longer ones are cut to fewer outputs

// Copies of one weight, together too large for caches. All rows are the same: what codes say does
// not change the time, as long as no scale is subnormal or NaN.
class Weights {
 public:
  Weights(WeightFormat format, KernelShape shape, std::uint64_t bytes) : shape_(shape) {
    linear_.format = format;
    linear_.stored_rows = shape.outputs;
    linear_.stored_columns = shape.inputs;
    std::vector<std::byte> row, scales;
    EncodeOneRow(&row, &scales);
    const std::uint64_t matrix_bytes =
        (row.size() + scales.size()) * static_cast<std::uint64_t>(shape.outputs);
    copies_ = std::max<std::uint64_t>(1, bytes / matrix_bytes);
    data_ = Repeated(row, shape.outputs * static_cast<std::int64_t>(copies_));
    scales_ = Repeated(scales, shape.outputs);
  }

  std::uint64_t copies() const { return copies_; }

  // The first `outputs` rows of a copy.
  Linear Copy(std::uint64_t index, std::int64_t outputs) const {
    Linear linear = linear_;
    const std::size_t bytes = data_.size() / copies_;
    linear.data = HostView(data_.data() + index % copies_ * bytes, data_dtype_,
                           {shape_.outputs, data_columns_});
    if (!scales_.empty()) {
      const std::int64_t scale_rows =
          linear.format == WeightFormat::kFp8Block ? (shape_.outputs + 127) / 128 : shape_.outputs;
      linear.scale = HostView(scales_.data(), scale_dtype_, {scale_rows, scale_columns_});
    }
    return linear.StoredRows(0, outputs);
  }

 private:
  static std::vector<std::byte> Repeated(const std::vector<std::byte>& row, std::int64_t count) {
    std::vector<std::byte> rows;
    rows.reserve(row.size() * static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) rows.insert(rows.end(), row.begin(), row.end());
    return rows;
  }

  void EncodeOneRow(std::vector<std::byte>* row, std::vector<std::byte>* scales) {
    const std::int64_t columns = shape_.inputs;
    Random random(1);
    std::vector<float> values(static_cast<std::size_t>(columns));
    for (float& value : values) value = 0.02f * random.Normal();
    const auto split = [&](DType data, std::int64_t data_columns, DType scale,
                           std::int64_t scale_columns) {
      data_dtype_ = data;
      data_columns_ = data_columns;
      scale_dtype_ = scale;
      scale_columns_ = scale_columns;
      row->resize(static_cast<std::size_t>(data_columns));
      scales->resize(static_cast<std::size_t>(scale_columns) *
                     static_cast<std::size_t>(Info(scale).block_bytes));
    };
    switch (linear_.format) {
      case WeightFormat::kFp8Block: {
        split(DType::kF8E4M3, columns, DType::kF32, (columns + 127) / 128);
        const float scale =
            EncodeFp8Tile({values.data(), columns, 1, columns, row->data(), columns}, false);
        for (std::int64_t i = 0; i < scale_columns_; ++i)
          std::memcpy(scales->data() + 4 * i, &scale, 4);
        return;
      }
      case WeightFormat::kMxfp4:
        split(DType::kI8, columns / 2, DType::kF8E8M0, columns / 32);
        return EncodeMxfp4Row(values.data(), columns, row->data(), scales->data());
      case WeightFormat::kNvfp4:
        split(DType::kU8, columns / 2, DType::kF8E4M3, columns / 16);
        linear_.global_scale = Nvfp4GlobalScale(0.1f);
        return EncodeNvfp4Row(values.data(), columns, linear_.global_scale, row->data(),
                              scales->data());
      default:
        break;
    }
    for (const DTypeInfo& info : AllDTypes())
      if (WeightFormatOf(info.dtype) == linear_.format) data_dtype_ = info.dtype;
    data_columns_ = columns;
    row->resize(*RowBytes(data_dtype_, static_cast<std::uint64_t>(columns)));
    if (EncodeRow(data_dtype_, values.data(), columns, row->data())) return;
    // Blocks that nothing here encodes: any bytes, less the bit that could make a scale infinite.
    for (std::byte& byte : *row) byte = static_cast<std::byte>(random.Next32() & 0x3B);
  }

  KernelShape shape_;
  Linear linear_;
  DType data_dtype_ = DType::kF32, scale_dtype_ = DType::kF32;
  std::int64_t data_columns_ = 0, scale_columns_ = 0;
  std::uint64_t copies_ = 1;
  std::vector<std::byte> data_, scales_;
};

// Seconds of one product, after one that is not timed.
class Timer {
 public:
  Timer(Ops& ops, const Weights& weights, KernelShape shape, std::int64_t rows)
      : ops_(ops), weights_(weights), rows_(rows) {
    Random random(2);
    x_.resize(static_cast<std::size_t>(rows * shape.inputs));
    for (float& value : x_) value = static_cast<float>(random.Uniform()) - 0.5f;
    y_.resize(static_cast<std::size_t>(rows * shape.outputs));
    inputs_ = shape.inputs;
  }

  double Once(std::int64_t outputs) {
    const Linear weight = weights_.Copy(next_++, outputs);
    const MatMul call{&weight, HostView(x_.data(), DType::kF32, {rows_, inputs_}),
                      HostView(y_.data(), DType::kF32, {rows_, outputs})};
    const auto start = std::chrono::steady_clock::now();
    ops_.Run(std::span(&call, 1));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  Ops& ops_;
  const Weights& weights_;
  std::int64_t rows_, inputs_ = 0;
  std::uint64_t next_ = 0;
  std::vector<float> x_, y_;
};

KernelTiming Measure(Ops& ops, const Weights& weights, WeightFormat format, KernelShape shape,
                     std::int64_t rows, double seconds) {
  Timer timer(ops, weights, shape, rows);
  const std::int64_t slice = std::min(kSlowSlice, shape.outputs);
  const double pieces = static_cast<double>(shape.outputs) / static_cast<double>(slice);
  const double whole_seconds = timer.Once(slice) * pieces;
  std::int64_t outputs = shape.outputs;
  if (whole_seconds > kLongestSeconds)
    outputs = slice * std::max<std::int64_t>(
                          1, static_cast<std::int64_t>(pieces * kLongestSeconds / whole_seconds));
  else
    timer.Once(outputs);
  // The fastest run: what the kernel can do where nothing else takes the core.
  double fastest = timer.Once(outputs);
  double total = fastest;
  for (int run = 1; total < seconds || run < 2; ++run) {
    const double once = timer.Once(outputs);
    total += once;
    fastest = std::min(fastest, once);
  }
  const double bytes = static_cast<double>(StoredBytes(weights.Copy(0, outputs)));
  const double operations = 2.0 * static_cast<double>(outputs * shape.inputs * rows);
  KernelTiming timing;
  timing.isa = ops.level();
  timing.format = format;
  timing.shape = shape;
  timing.rows = rows;
  timing.bytes_per_second = bytes / fastest;
  timing.operations_per_second = operations / fastest;
  return timing;
}

// `timings` has one of each kind from the first pass on.
void KeepFaster(KernelTiming timing, std::size_t index, std::vector<KernelTiming>* timings) {
  if (index == timings->size())
    timings->push_back(std::move(timing));
  else if (timing.bytes_per_second > (*timings)[index].bytes_per_second)
    (*timings)[index] = std::move(timing);
}

// With one row, on each level and shape.
std::vector<SlowestFormat> FindSlowest(const std::vector<KernelTiming>& timings) {
  std::vector<SlowestFormat> slowest;
  for (const KernelTiming& first : timings) {
    const auto same = [&first](const auto& other) {
      return other.isa == first.isa && other.shape.outputs == first.shape.outputs &&
             other.shape.inputs == first.shape.inputs;
    };
    if (std::any_of(slowest.begin(), slowest.end(), same)) continue;
    const KernelTiming *worst = nullptr, *best = nullptr;
    for (const KernelTiming& timing : timings) {
      if (!same(timing) || timing.rows != 1) continue;
      if (worst == nullptr || timing.bytes_per_second < worst->bytes_per_second) worst = &timing;
      if (best == nullptr || timing.bytes_per_second > best->bytes_per_second) best = &timing;
    }
    if (worst == nullptr) continue;
    slowest.push_back(
        {first.isa, first.shape, worst->format, worst->bytes_per_second / best->bytes_per_second});
  }
  return slowest;
}

Result<std::vector<std::unique_ptr<Ops>>> MakeLevels(const KernelBenchOptions& options) {
  std::vector<std::string> names;
  if (!options.isa.empty()) names.push_back(options.isa);
  for (const CpuLevelInfo& info : AllCpuLevels())
    if (options.isa.empty() && Supports(DetectCpuFeatures(), info.level))
      names.emplace_back(info.name);
  std::vector<std::unique_ptr<Ops>> levels;
  for (const std::string& name : names) {
    HADAL_ASSIGN_OR_RETURN(auto ops, MakeCpuOps({.isa = name, .threads = options.threads}));
    levels.push_back(std::move(ops));
  }
  return levels;
}

}  // namespace

Result<KernelBenchReport> BenchKernels(const KernelBenchOptions& options) {
  HADAL_ASSIGN_OR_RETURN(const auto levels, MakeLevels(options));
  HADAL_ASSIGN_OR_RETURN(const auto bandwidth,
                         ReadBandwidth::Create(options.threads, options.sweep_bytes));
  KernelBenchReport report;
  report.threads = options.threads > 0 ? options.threads : UsableCores();
  const auto all =
      static_cast<std::int64_t>(options.shapes.size() * AllWeightFormats().size()) * options.passes;
  std::int64_t done = 0;
  for (int pass = 0; pass < options.passes; ++pass) {
    std::size_t index = 0;
    for (const KernelShape& shape : options.shapes)
      for (const WeightFormatInfo& info : AllWeightFormats()) {
        const Weights weights(info.format, shape, options.weight_bytes);
        for (const auto& ops : levels) {
          report.read_bandwidth_bytes_per_second =
              std::max(report.read_bandwidth_bytes_per_second, bandwidth->Sweep(options.seconds));
          for (const std::int64_t rows : options.rows)
            KeepFaster(Measure(*ops, weights, info.format, shape, rows, options.seconds), index++,
                       &report.timings);
        }
        if (options.progress) options.progress(++done, all);
      }
  }
  for (KernelTiming& timing : report.timings)
    timing.bandwidth_ratio = timing.bytes_per_second / report.read_bandwidth_bytes_per_second;
  report.slowest = FindSlowest(report.timings);
  return report;
}

std::string KernelBenchReport::ToText() const {
  std::string text = fmt::format(
      "read bandwidth {:.1f} GB/s, {} threads\n\n{:<12} {:<12} {:>12} "
      "{:>5} {:>8} {:>9} {:>10}\n",
      read_bandwidth_bytes_per_second * 1e-9, threads, "level", "format", "out x in", "rows",
      "GB/s", "GOP/s", "bandwidth");
  for (const KernelTiming& t : timings)
    text += fmt::format("{:<12} {:<12} {:>12} {:>5} {:>8.2f} {:>9.1f} {:>9.0f}%\n", t.isa,
                        Name(t.format), fmt::format("{} x {}", t.shape.outputs, t.shape.inputs),
                        t.rows, t.bytes_per_second * 1e-9, t.operations_per_second * 1e-9,
                        100 * t.bandwidth_ratio);
  text += "\nslowest format with one row, as a share of the best one\n";
  for (const SlowestFormat& s : slowest)
    text += fmt::format("{:<12} {:>12}  {:<12} {:.2f}\n", s.isa,
                        fmt::format("{} x {}", s.shape.outputs, s.shape.inputs), Name(s.format),
                        s.share_of_best);
  return text;
}

std::string KernelBenchReport::ToJson() const {
  std::string json =
      fmt::format(R"({{"threads":{},"read_bandwidth_bytes_per_second":{},"kernels":[)", threads,
                  read_bandwidth_bytes_per_second);
  const char* separator = "";
  for (const KernelTiming& t : timings) {
    json += fmt::format(
        R"({}{{"isa":"{}","format":"{}","outputs":{},"inputs":{},"rows":{},"bytes_per_second":{},)"
        R"("operations_per_second":{},"bandwidth_ratio":{}}})",
        separator, t.isa, Name(t.format), t.shape.outputs, t.shape.inputs, t.rows,
        t.bytes_per_second, t.operations_per_second, t.bandwidth_ratio);
    separator = ",";
  }
  json += R"(],"slowest":[)";
  separator = "";
  for (const SlowestFormat& s : slowest) {
    json += fmt::format(
        R"({}{{"isa":"{}","outputs":{},"inputs":{},"format":"{}","share_of_best":{}}})", separator,
        s.isa, s.shape.outputs, s.shape.inputs, Name(s.format), s.share_of_best);
    separator = ",";
  }
  return json + "]}";
}

}  // namespace hadal
