// Every int8 kernel of every level that this machine has against the reference, bit for bit, and
// the reference against float64.
#include "kernels/matmul/int8/int8.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/cpu_level.h"
#include "kernels/kernel_table.h"
#include "kernels/test_emulated.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

struct Level {
  std::string name;
  MatMulTable table;
};

// The levels of this machine above the reference, and the products of `amx` on emulated tiles.
std::vector<Level> WideLevels() {
  std::vector<Level> levels;
  for (const CpuLevelInfo& info : AllCpuLevels())
    if (info.level != CpuLevel::kRef && Supports(DetectCpuFeatures(), info.level))
      levels.push_back({std::string(info.name), MakeKernelTable(info.level).matmul});
  for (const EmulatedLevel& level : EmulatedLevels())
    levels.push_back({std::string(level.name), TableOf(level).matmul});
  return levels;
}

MatMulTable Reference() {
  MatMulTable table{};
  FillInt8Ref(&table);
  return table;
}

std::vector<WeightFormat> Int8Formats() {
  std::vector<WeightFormat> formats;
  for (const WeightFormatInfo& info : AllWeightFormats())
    if (info.activation == ActivationForm::kInt8x32 || info.activation == ActivationForm::kInt8x256)
      formats.push_back(info.format);
  return formats;
}

// Bytes of a block of block_values columns; where its f16 scales lie.
struct Layout {
  int block_bytes;
  std::vector<int> f16_at;
};

Layout LayoutOf(WeightFormat format) {
  switch (format) {
    case WeightFormat::kQ8_0:
      return {34, {0}};
    case WeightFormat::kQ4_0:
      return {18, {0}};
    case WeightFormat::kQ4_1:
      return {20, {0, 2}};
    case WeightFormat::kQ5_0:
      return {22, {0}};
    case WeightFormat::kQ5_1:
      return {24, {0, 2}};
    case WeightFormat::kQ4_K:
      return {144, {0, 2}};
    case WeightFormat::kQ5_K:
      return {176, {0, 2}};
    case WeightFormat::kQ6_K:
      return {210, {208}};
    case WeightFormat::kGgufMxfp4:
      return {17, {}};
    default:
      return {16, {}};
  }
}

// A weight of random bytes at an odd address, with rows that do not touch.
struct RandomWeight {
  std::vector<std::byte> data, scale;
  WeightRows rows;

  // Tame scales stay within a few powers of two; wild ones are any bytes: infinities, NaN.
  RandomWeight(WeightFormat format, std::int64_t outputs, std::int64_t columns, bool tame,
               std::uint64_t seed) {
    Random random(seed);
    const Layout layout = LayoutOf(format);
    const int block_values = Info(format).block_values;
    const std::int64_t blocks = columns / block_values, stride = blocks * layout.block_bytes + 5;
    data.resize(static_cast<std::size_t>(outputs * stride + 1));
    for (std::byte& byte : data) byte = static_cast<std::byte>(random.Next32());
    const std::int64_t first_row = 3, scale_stride = 2 * blocks + 1;
    scale.resize(static_cast<std::size_t>((outputs + first_row) * scale_stride + 1));
    for (std::byte& byte : scale) byte = static_cast<std::byte>(random.Next32());
    rows = {.format = format,
            .data = data.data() + 1,
            .row_stride_bytes = stride,
            .rows = outputs,
            .columns = columns,
            .scale = scale.data() + 1,
            .scale_row_stride_bytes = scale_stride,
            .first_row = first_row,
            .global_scale = 0.37f};
    if (format == WeightFormat::kMxfp4) rows.scale_dtype = DType::kF8E8M0;
    if (format == WeightFormat::kNvfp4) rows.scale_dtype = DType::kF8E4M3;
    if (tame) Tame(layout, outputs, blocks, random);
  }

  void Tame(const Layout& layout, std::int64_t outputs, std::int64_t blocks, Random& random) {
    for (std::byte& byte : scale) {
      const std::uint64_t small = random.Below(8);
      byte = static_cast<std::byte>(rows.format == WeightFormat::kMxfp4 ? 120 + small
                                                                        : 0x28 + 5 * small);
    }
    for (std::int64_t row = 0; row < outputs; ++row)
      for (std::int64_t b = 0; b < blocks; ++b) {
        std::byte* block = data.data() + 1 + row * rows.row_stride_bytes + b * layout.block_bytes;
        for (const int at : layout.f16_at) {
          const float value = static_cast<float>(random.Uniform() - 0.3) * 0.05f;
          const std::uint16_t code = F32ToF16(value);
          std::memcpy(block + at, &code, 2);
        }
        if (rows.format == WeightFormat::kGgufMxfp4)
          block[0] = static_cast<std::byte>(118 + random.Below(10));
      }
  }
};

// Activations in a form, prepared by one table.
struct Prepared {
  std::vector<float> x;
  std::vector<std::byte> memory;
  PreparedActivations form;
};

std::vector<float> RandomRows(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> x(static_cast<std::size_t>(rows * columns));
  for (float& value : x) value = random.Normal() * (random.Below(64) == 0 ? 20.0f : 1.0f);
  return x;
}

// Rows of x, which lie `gap` values further apart than they are long, in the form of a table.
PreparedActivations Prepare(const MatMulTable& table, ActivationForm form, std::int64_t rows,
                            std::int64_t columns, const float* x, std::int64_t stride,
                            std::vector<std::byte>* memory) {
  const std::size_t bytes = PreparedBytes(form, rows, columns);
  memory->assign(bytes + 64, std::byte{0x5A});
  void* at = memory->data();
  std::size_t space = memory->size();
  auto* aligned = static_cast<std::byte*>(std::align(64, bytes, at, space));
  const PreparedActivations placed = PlacePrepared(form, rows, columns, aligned);
  PrepareJob job{.x = x, .x_stride = stride, .out = placed, .first_row = 0, .last_row = rows};
  // In two pieces, as threads would.
  job.last_row = rows / 2;
  table.prepare[static_cast<int>(form)](job);
  job.first_row = rows / 2;
  job.last_row = rows;
  table.prepare[static_cast<int>(form)](job);
  return placed;
}

// Runs outputs [first, last) of a product into y, whose other values stay as they are.
void RunProduct(const MatMulTable& table, const WeightRows& weight, const PreparedActivations& x,
                std::int64_t first, std::int64_t last, std::int64_t y_stride,
                std::vector<float>* y) {
  alignas(64) static std::byte scratch[kMatMulScratchBytes];
  const MatMulJob job{.weight = weight,
                      .x = x,
                      .y = y->data() + 1,
                      .y_stride = y_stride,
                      .first_output = first,
                      .last_output = last,
                      .scratch = scratch};
  table.fast[static_cast<int>(weight.format)](job);
}

::testing::AssertionResult SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]) &&
        !(std::isnan(a[i]) && std::isnan(b[i])))
      return ::testing::AssertionFailure() << "value " << i << ": " << a[i] << " and " << b[i];
  return ::testing::AssertionSuccess();
}

// One shape on every level against the reference. Also: what lies beside the outputs stays, and
// each row alone gives what it gave among others.
void CheckShape(const MatMulTable& reference, const std::vector<Level>& levels, WeightFormat format,
                std::int64_t outputs, std::int64_t columns, std::int64_t row_count, bool tame) {
  SCOPED_TRACE(std::string(Name(format)) + " " + std::to_string(outputs) + " x " +
               std::to_string(columns) + ", rows " + std::to_string(row_count));
  const auto seed = static_cast<std::uint64_t>(outputs * 1'000'000 + columns * 100 + row_count);
  const RandomWeight weight(format, outputs, columns, tame, seed);
  const std::vector<float> x = RandomRows(row_count, columns + 3, seed + 1);
  std::vector<std::byte> memory;
  const PreparedActivations prepared = Prepare(reference, Info(format).activation, row_count,
                                               columns, x.data(), columns + 3, &memory);
  const std::int64_t y_stride = outputs + 2;
  const std::vector<float> untouched(static_cast<std::size_t>(row_count * y_stride + 1), 12345.0f);
  std::vector<float> want = untouched;
  RunProduct(reference, weight.rows, prepared, 0, outputs, y_stride, &want);
  for (const Level& level : levels) {
    std::vector<float> got = untouched;
    RunProduct(level.table, weight.rows, prepared, 0, outputs, y_stride, &got);
    ASSERT_TRUE(SameBits(want, got)) << level.name;
    if (row_count == 1) continue;
    PreparedActivations alone = prepared;
    const std::int64_t row = row_count - 1;
    const std::int64_t block = prepared.form == ActivationForm::kInt8x32 ? 32 : 256;
    alone.rows = 1;
    alone.codes = static_cast<std::int8_t*>(prepared.codes) + row * prepared.code_stride;
    alone.scales += row * (columns / block);
    alone.sums += row * (columns / 16);
    std::vector<float> one(static_cast<std::size_t>(y_stride + 1), 12345.0f);
    RunProduct(level.table, weight.rows, alone, 0, outputs, y_stride, &one);
    ASSERT_EQ(0, std::memcmp(one.data() + 1, got.data() + 1 + row * y_stride,
                             static_cast<std::size_t>(outputs) * sizeof(float)))
        << level.name;
  }
}

class Int8Kernels : public ::testing::Test {
 protected:
  const MatMulTable reference_ = Reference();
  const std::vector<Level> levels_ = WideLevels();
};

TEST_F(Int8Kernels, EveryShapeEqualsTheReference) {
  for (const WeightFormat format : Int8Formats()) {
    const int block = Info(format).block_values;
    for (const std::int64_t blocks : {1, 2, 3, 5, 17})
      for (const std::int64_t outputs : {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64})
        for (const std::int64_t rows : {1, 2, 3, 4, 5, 8, 17})
          if (rows < 8 || outputs < 20)
            CheckShape(reference_, levels_, format, outputs, blocks * block, rows, true);
  }
}

TEST_F(Int8Kernels, LongRowsEqualTheReference) {
  for (const WeightFormat format : Int8Formats())
    for (const std::int64_t rows : {1, 6, 37})
      CheckShape(reference_, levels_, format, 18, rows < 20 ? 7168 : 1280, rows, true);
}

// Any bytes are a weight: scales that are infinite, NaN, subnormal or zero.
TEST_F(Int8Kernels, WildScalesEqualTheReference) {
  for (const WeightFormat format : Int8Formats())
    for (const std::int64_t rows : {1, 5})
      for (const std::int64_t outputs : {16, 37})
        CheckShape(reference_, levels_, format, outputs, 512, rows, false);
}

// A product in pieces is the product.
TEST_F(Int8Kernels, RangesOfOutputsAreIndependent) {
  std::vector<Level> levels = levels_;
  levels.push_back({"ref", reference_});
  for (const WeightFormat format : Int8Formats()) {
    const RandomWeight weight(format, 50, 512, true, 4);
    const std::vector<float> x = RandomRows(3, 512, 5);
    std::vector<std::byte> memory;
    const PreparedActivations prepared =
        Prepare(reference_, Info(format).activation, 3, 512, x.data(), 512, &memory);
    for (const Level& level : levels) {
      std::vector<float> whole(151, 1.0f), pieces(151, 1.0f);
      RunProduct(level.table, weight.rows, prepared, 0, 50, 50, &whole);
      for (const auto& [first, last] : {std::pair{0, 5}, {5, 6}, {6, 39}, {39, 50}})
        RunProduct(level.table, weight.rows, prepared, first, last, 50, &pieces);
      EXPECT_TRUE(SameBits(whole, pieces)) << level.name << " " << Name(format);
    }
  }
}

// Codes at the ends of their ranges: where 16-bit intermediate sums would saturate.
TEST_F(Int8Kernels, ExtremeCodesAreExact) {
  for (const WeightFormat format : Int8Formats())
    for (const int fill : {0x00, 0x80, 0xFF, 0x7F, 0x81, 0x77}) {
      RandomWeight weight(format, 16, 256, true, 9);
      const Layout layout = LayoutOf(format);
      const std::int64_t blocks = 256 / Info(format).block_values;
      for (std::int64_t row = 0; row < 16; ++row)
        for (std::int64_t i = 0; i < blocks * layout.block_bytes; ++i)
          weight.data[static_cast<std::size_t>(1 + row * weight.rows.row_stride_bytes + i)] =
              static_cast<std::byte>(fill);
      Random random(1);
      weight.Tame(layout, 16, blocks, random);
      for (const float sign : {1.0f, -1.0f}) {
        std::vector<float> x(512, sign);  // every code is 127 or -127
        for (std::size_t i = 256; i < 512; ++i) x[i] = i % 2 == 0 ? sign : -sign;
        std::vector<std::byte> memory;
        const PreparedActivations prepared =
            Prepare(reference_, Info(format).activation, 2, 256, x.data(), 256, &memory);
        std::vector<float> want(33), got(33);
        RunProduct(reference_, weight.rows, prepared, 0, 16, 16, &want);
        for (const Level& level : levels_) {
          RunProduct(level.table, weight.rows, prepared, 0, 16, 16, &got);
          ASSERT_TRUE(SameBits(want, got)) << level.name << " " << Name(format) << " " << fill;
        }
      }
    }
}

// The block with columns 32 b .. or 256 b .. of a row, as the kernels see it.
ScaledBlock ScaledBlockOf(const WeightRows& rows, std::int64_t row, std::int64_t b) {
  const std::byte* data = rows.data + row * rows.row_stride_bytes;
  const std::byte* scale = rows.scale + (rows.first_row + row) * rows.scale_row_stride_bytes;
  const std::byte* block = data + b * LayoutOf(rows.format).block_bytes;
  ScaledBlock out{};
  switch (rows.format) {
    case WeightFormat::kMxfp4:
      LoadMxfp4(data + 16 * b, scale + b, out);
      return out;
    case WeightFormat::kNvfp4:
      LoadNvfp4(data + 16 * b, scale + 2 * b, rows.global_scale, out);
      return out;
    case WeightFormat::kQ8_0:
      LoadQ8_0(block, out);
      return out;
    case WeightFormat::kQ4_0:
      LoadQ4_0(block, out);
      return out;
    case WeightFormat::kQ4_1:
      LoadQ4_1(block, out);
      return out;
    case WeightFormat::kQ5_0:
      LoadQ5_0(block, out);
      return out;
    case WeightFormat::kQ5_1:
      LoadQ5_1(block, out);
      return out;
    default:
      LoadGgufMxfp4(block, out);
      return out;
  }
}
SuperBlock SuperBlockOf(const WeightRows& rows, std::int64_t row, std::int64_t b) {
  const std::byte* block =
      rows.data + row * rows.row_stride_bytes + b * LayoutOf(rows.format).block_bytes;
  SuperBlock out{};
  if (rows.format == WeightFormat::kQ4_K) LoadQ4_K(block, out);
  if (rows.format == WeightFormat::kQ5_K) LoadQ5_K(block, out);
  if (rows.format == WeightFormat::kQ6_K) LoadQ6_K(block, out);
  return out;
}

// |scale * code| + |minimum| of a column: what is rounded, however much of it cancels.
double TermsOf(const WeightRows& rows, std::int64_t row, std::int64_t column) {
  if (Info(rows.format).activation == ActivationForm::kInt8x32) {
    const ScaledBlock block = ScaledBlockOf(rows, row, column / 32);
    const double scale = block.scale[column % 32 / 16];
    return std::fabs(scale * block.code[column % 32]) + std::fabs(block.minimum);
  }
  const SuperBlock block = SuperBlockOf(rows, row, column / 256);
  const std::int64_t at = column % 256;
  return std::fabs(static_cast<double>(block.scale) * block.sub_scale[at / 16] * block.code[at]) +
         std::fabs(static_cast<double>(block.minimum) * block.sub_minimum[at / 32]);
}

// gamma(n) = n u / (1 - n u), which bounds n roundings in a row (Higham, "Accuracy and Stability of
// Numerical Algorithms", section 3.1); gamma(a) + gamma(b) <= gamma(a + b).
double Gamma(double n, double unit) { return n * unit / (1.0 - n * unit); }

// The reference against float64: decoded weights times what the codes of the activations mean.
//
// With M the sum of (|scale * code| + |minimum|) * |activation| over the columns:
// - The kernel adds `steps` terms to a sum that begins with zero, each by one fused step, so that a
//   term meets at most `steps` roundings. Before, its integer was rounded (above 2^24, in blocks of
//   256) and so was its product of two scales: gamma(steps + 2) * M.
// - A decoded weight rounds at most scale * sub-scale, that times the code, and the difference with
//   the minimum, or the minimum's product and that difference: gamma(3) * M.
// - The sum in double: `columns` additions of products of three factors.
// Nothing is near underflow: the scales are tame.
TEST_F(Int8Kernels, ReferenceIsTheProduct) {
  for (const WeightFormat format : Int8Formats())
    for (const std::int64_t columns : {256, 768, 2560}) {
      const std::int64_t outputs = 9;
      const RandomWeight weight(format, outputs, columns, true, 11);
      const std::vector<float> x = RandomRows(1, columns, 12);
      const ActivationForm form = Info(format).activation;
      const std::int64_t block = form == ActivationForm::kInt8x32 ? 32 : 256;
      std::vector<std::byte> memory;
      const PreparedActivations prepared =
          Prepare(reference_, form, 1, columns, x.data(), columns, &memory);
      std::vector<float> got(static_cast<std::size_t>(outputs) + 1);
      RunProduct(reference_, weight.rows, prepared, 0, outputs, outputs, &got);
      const bool two_steps = format == WeightFormat::kNvfp4 || format == WeightFormat::kQ4_1 ||
                             format == WeightFormat::kQ5_1 || format == WeightFormat::kQ4_K ||
                             format == WeightFormat::kQ5_K;
      const double steps = static_cast<double>(columns / block) * (two_steps ? 2.0 : 1.0);
      const double bound =
          Gamma(steps + 5.0, 0x1p-24) + Gamma(static_cast<double>(columns) + 3.0, 0x1p-53);
      std::vector<float> w(static_cast<std::size_t>(columns));
      for (std::int64_t output = 0; output < outputs; ++output) {
        DecodeRow({.format = format,
                   .codes = weight.rows.data + output * weight.rows.row_stride_bytes,
                   .scales = weight.rows.scale + (output + 3) * weight.rows.scale_row_stride_bytes,
                   .global_scale = weight.rows.global_scale},
                  0, columns, w.data());
        double want = 0.0, magnitudes = 0.0;
        for (std::int64_t k = 0; k < columns; ++k) {
          const double code = static_cast<const std::int8_t*>(prepared.codes)[k];
          const double activation = code * static_cast<double>(prepared.scales[k / block]);
          want += static_cast<double>(w[static_cast<std::size_t>(k)]) * activation;
          magnitudes += TermsOf(weight.rows, output, k) * std::fabs(activation);
        }
        EXPECT_NEAR(got[static_cast<std::size_t>(output) + 1], want, bound * magnitudes)
            << Name(format) << " " << columns;
      }
    }
}

TEST_F(Int8Kernels, ActivationsEqualTheReference) {
  const std::int64_t columns = 1280, rows = 6;
  std::vector<float> x = RandomRows(rows, columns, 21);
  const auto at = [&x](std::int64_t row, std::int64_t column) -> float& {
    return x[static_cast<std::size_t>(row * columns + column)];
  };
  for (std::int64_t k = 0; k < columns; ++k) {
    at(1, k) = 0.0f;
    at(2, k) = std::ldexp(at(2, k), -140);                      // subnormal values and scales
    at(3, k) = static_cast<float>(k % 255 - 127) + 0.5f;        // many ties
    at(4, k) = std::ldexp(at(4, k), static_cast<int>(k / 20));  // up to 2^63
  }
  at(5, 40) = std::numeric_limits<float>::quiet_NaN();
  at(5, 100) = std::numeric_limits<float>::infinity();
  at(5, 300) = -std::numeric_limits<float>::infinity();
  at(5, 700) = 3e38f;
  for (const ActivationForm form : {ActivationForm::kInt8x32, ActivationForm::kInt8x256}) {
    std::vector<std::byte> want_memory, got_memory;
    const PreparedActivations want =
        Prepare(reference_, form, rows, columns, x.data(), columns, &want_memory);
    const std::int64_t block = form == ActivationForm::kInt8x32 ? 32 : 256;
    const auto count = static_cast<std::size_t>(rows * columns);
    const auto* codes = static_cast<const std::int8_t*>(want.codes);
    for (std::size_t i = 0; i < count; ++i) {
      const float scale = want.scales[i / static_cast<std::size_t>(block)];
      ASSERT_GE(codes[i], -127);
      if (std::isfinite(scale) && scale > 1e-30f) {
        ASSERT_LE(std::fabs(x[i] - scale * codes[i]), 0.50001f * scale) << i;
      }
    }
    for (const Level& level : levels_) {
      const PreparedActivations got =
          Prepare(level.table, form, rows, columns, x.data(), columns, &got_memory);
      EXPECT_EQ(0, std::memcmp(got.codes, want.codes, count)) << level.name;
      EXPECT_EQ(0, std::memcmp(got.sums, want.sums, count / 16 * 2)) << level.name;
      const auto scales = count / static_cast<std::size_t>(block);
      EXPECT_TRUE(SameBits({want.scales, want.scales + scales}, {got.scales, got.scales + scales}))
          << level.name;
    }
  }
}

// What is not a number stays visible in every output of its row, and in no other row.
TEST_F(Int8Kernels, NonFiniteActivationsReachTheOutputs) {
  std::vector<Level> levels = levels_;
  levels.push_back({"ref", reference_});
  std::vector<float> x = RandomRows(3, 256, 31);
  x[10] = std::numeric_limits<float>::quiet_NaN();
  x[256 + 200] = std::numeric_limits<float>::infinity();
  for (const WeightFormat format : Int8Formats()) {
    const RandomWeight weight(format, 20, 256, true, 32);
    for (const Level& level : levels) {
      std::vector<std::byte> memory;
      const PreparedActivations prepared =
          Prepare(level.table, Info(format).activation, 3, 256, x.data(), 256, &memory);
      std::vector<float> y(61);
      RunProduct(level.table, weight.rows, prepared, 0, 20, 20, &y);
      for (std::size_t i = 1; i <= 60; ++i)
        EXPECT_EQ(std::isnan(y[i]), i <= 40) << level.name << " " << Name(format) << " " << i;
    }
  }
}

}  // namespace
}  // namespace hadal
