// Products with f32 and bf16 activations: reference against an evaluation in double within a
// derived bound, every level against the reference bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/test_matrix.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

using kernel_test::Decoded;
using kernel_test::FirstDifference;
using kernel_test::Levels;
using kernel_test::LevelsOfProducts;
using kernel_test::MakeMatrix;
using kernel_test::Matrix;
using kernel_test::MatrixShape;
using kernel_test::OpsAt;
using kernel_test::Rows;

constexpr double kHalfUlp = 0x1p-24;

Rows Multiply(Ops& ops, const Linear& weight, const Rows& x, std::int64_t rows,
              std::int64_t skew = 0) {
  Rows y(rows, weight.outputs(), 99, skew, skew);
  const MatMul call{&weight, x.view(), y.view()};
  ops.Run(std::span<const MatMul>(&call, 1));
  return y;
}

std::vector<MatrixShape> FloatShapes() {
  std::vector<MatrixShape> shapes;
  for (const WeightFormatInfo& info : AllWeightFormats()) {
    const std::int64_t unit = std::max(info.block_values, 1);
    shapes.push_back({.format = info.format, .rows = 37, .columns = unit == 1 ? 75 : 3 * unit});
    shapes.push_back({.format = info.format, .rows = 64, .columns = unit == 1 ? 320 : 10 * unit});
  }
  for (const std::int64_t columns : {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1100})
    for (const WeightFormat format :
         {WeightFormat::kF32, WeightFormat::kF16, WeightFormat::kBF16, WeightFormat::kFp8Block})
      shapes.push_back({.format = format, .rows = columns % 40 + 1, .columns = columns, .skew = 1});
  return shapes;
}

std::vector<MatrixShape> Bf16Shapes() {
  std::vector<MatrixShape> shapes;
  for (const std::int64_t columns :
       {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257, 300, 384, 1100}) {
    const std::int64_t rows = columns % 40 + 1;
    shapes.push_back({.format = WeightFormat::kBF16, .rows = rows, .columns = columns, .skew = 1});
    shapes.push_back({.format = WeightFormat::kF16, .rows = rows, .columns = columns, .skew = 1});
    for (const int block : {16, 32, 48, 128, 256})
      for (const bool e8m0 : {false, true})
        shapes.push_back({.format = WeightFormat::kFp8Block,
                          .rows = rows + (columns < 130 ? 150 : 20),
                          .columns = columns,
                          .block = block,
                          .e8m0 = e8m0,
                          .skew = 1});
  }
  return shapes;
}

std::string Describe(const MatrixShape& shape) {
  return std::string(Name(shape.format)) + " " + std::to_string(shape.rows) + " x " +
         std::to_string(shape.columns) + " block " + std::to_string(shape.block);
}

// Every output within `steps` roundings of the product in double, given the activations' rounding.
void ExpectNearDouble(const Rows& y, const Rows& x, const Linear& weight, std::int64_t rows,
                      bool bf16, double steps) {
  const std::vector<float> w = Decoded(weight);
  const std::int64_t n = weight.stored_columns;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t o = 0; o < weight.outputs(); ++o) {
      double sum = 0.0, size = 0.0;
      for (std::int64_t k = 0; k < weight.inputs(); ++k) {
        const std::int64_t at = weight.transposed ? k * n + o : o * n + k;
        const float value = x.row(r)[k];
        const double product = static_cast<double>(bf16 ? Bf16ToF32(F32ToBf16(value)) : value) *
                               static_cast<double>(w[static_cast<std::size_t>(at)]);
        sum += product;
        size += std::fabs(product);
      }
      ASSERT_NEAR(static_cast<double>(y.row(r)[o]), sum, steps * kHalfUlp * size + 1e-37)
          << "row " << r << " output " << o;
    }
}

TEST(FloatProducts, ReferenceNearDouble) {
  const auto ops = OpsAt("ref", Profile::kFloat);
  for (const MatrixShape& shape : FloatShapes()) {
    SCOPED_TRACE(Describe(shape));
    const auto matrix = MakeMatrix(shape, 5);
    const Rows x(3, shape.columns, 6);
    const Rows y = Multiply(*ops, matrix->linear, x, 3);
    const double steps = static_cast<double>(shape.columns) / 16 + 6;  // one lane, then the tree
    ExpectNearDouble(y, x, matrix->linear, 3, false, steps);
  }
}

TEST(Bf16Products, ReferenceNearDouble) {
  const auto ops = OpsAt("ref", Profile::kFast);
  for (const MatrixShape& shape : Bf16Shapes()) {
    if (shape.format == WeightFormat::kF16) continue;
    SCOPED_TRACE(Describe(shape));
    const auto matrix = MakeMatrix(shape, 7);
    const Rows x(2, shape.columns, 8);
    const Rows y = Multiply(*ops, matrix->linear, x, 2);
    // 16 steps of a chain, two sums, and per scale block a product; the decoded weight that we
    // compare with rounded code * scale once.
    const double blocks = static_cast<double>(shape.columns / std::min(shape.block, 32) + 1);
    ExpectNearDouble(y, x, matrix->linear, 2, true, 16 + 3 * blocks + 2);
  }
}

TEST(TransposedProducts, ReferenceNearDouble) {
  const auto ops = OpsAt("ref", Profile::kFast);
  for (const MatrixShape& shape : FloatShapes()) {
    SCOPED_TRACE(Describe(shape));
    const auto matrix = MakeMatrix(shape, 9);
    const Linear turned = matrix->linear.Transposed();
    const Rows x(3, shape.rows, 10);
    const Rows y = Multiply(*ops, turned, x, 3);
    ExpectNearDouble(y, x, turned, 3, false, static_cast<double>(shape.rows) + 1);
  }
}

// Rows 1 .. 17 at every level, threads 1 to 3, odd addresses and strides: the reference's bits.
void ExpectSameBits(Profile profile, const std::vector<MatrixShape>& shapes, bool transposed) {
  const auto reference = OpsAt("ref", profile);
  std::vector<std::unique_ptr<Ops>> all;
  int threads = 0;
  for (const std::string& level : profile == Profile::kFast ? LevelsOfProducts() : Levels()) {
    all.push_back(OpsAt(level, profile, threads++ % 3 + 1));
    EXPECT_EQ(all.back()->level(), level);
  }
  int turn = 0;
  for (const MatrixShape& shape : shapes) {
    const auto matrix = MakeMatrix(shape, 11);
    const Linear weight = transposed ? matrix->linear.Transposed() : matrix->linear;
    const std::int64_t rows = turn % 17 + 1, skew = turn % 5;
    const Rows x(rows, weight.inputs(), 12, skew, 3);
    const Rows want = Multiply(*reference, weight, x, rows);
    for (const auto& ops : all) {
      const Rows got = Multiply(*ops, weight, x, rows, skew);
      ASSERT_EQ(FirstDifference(got.Values(), want.Values()), -1)
          << ops->level() << " " << Describe(shape) << " " << rows << " rows";
    }
    ++turn;
  }
}

TEST(FloatProducts, LevelsAgree) { ExpectSameBits(Profile::kFloat, FloatShapes(), false); }
TEST(TransposedProducts, LevelsAgree) { ExpectSameBits(Profile::kFloat, FloatShapes(), true); }
TEST(Bf16Products, LevelsAgree) { ExpectSameBits(Profile::kFast, Bf16Shapes(), false); }

// What matrix tiles take whole, and what is left of them at every edge: rows, outputs, columns of a
// piece, scale blocks.
TEST(Bf16Products, ManyRowsAgree) {
  constexpr std::int64_t kRows[] = {1, 8, 15, 16, 17, 31, 32, 33, 70};
  constexpr std::int64_t kOutputs[] = {1, 15, 16, 17, 32, 33, 64, 70};
  std::vector<MatrixShape> shapes;
  for (const std::int64_t columns : {32, 64, 512, 544, 1056, 1184}) {
    shapes.push_back({.format = WeightFormat::kBF16, .columns = columns});
    for (const int block : {32, 64, 128, 512})
      shapes.push_back({.format = WeightFormat::kFp8Block,
                        .columns = columns,
                        .block = block,
                        .e8m0 = columns % 64 == 32});
  }
  std::size_t turn = 0;
  for (MatrixShape& shape : shapes)
    for (int i = 0; i < 3; ++i, ++turn) {
      shape.rows = kOutputs[turn % std::size(kOutputs)];
      const std::int64_t rows = kRows[turn % std::size(kRows)];
      const auto matrix = MakeMatrix(shape, turn);
      const Rows x(rows, shape.columns, turn + 1, 0, 3);
      const Rows want = Multiply(*OpsAt("ref", Profile::kFast), matrix->linear, x, rows);
      for (const std::string& level : LevelsOfProducts()) {
        const Rows got = Multiply(*OpsAt(level, Profile::kFast), matrix->linear, x, rows, 1);
        ASSERT_EQ(FirstDifference(got.Values(), want.Values()), -1)
            << level << " " << Describe(shape) << " " << rows << " rows";
      }
    }
}

// Alone on one thread, together on several: there the rows are cut among tasks too.
TEST(Products, ManyRowsEqualOneRow) {
  constexpr std::int64_t kRows = 130;
  for (const std::string& level : LevelsOfProducts())
    for (const Profile profile : {Profile::kFloat, Profile::kFast})
      for (const WeightFormat format :
           {WeightFormat::kF32, WeightFormat::kBF16, WeightFormat::kFp8Block, WeightFormat::kQ8_0,
            WeightFormat::kQ4_K}) {
        if (level == "ref" && format == WeightFormat::kQ4_K) continue;  // slow, and the same code
        const auto one = OpsAt(level, profile), several = OpsAt(level, profile, 3);
        const std::int64_t columns = format == WeightFormat::kQ4_K ? 256 : 160;
        const auto matrix = MakeMatrix({.format = format, .rows = 70, .columns = columns}, 13);
        const Rows x(kRows, columns, 14);
        const std::vector<float> together = Multiply(*several, matrix->linear, x, kRows).Values();
        std::vector<float> alone;
        for (std::int64_t r = 0; r < kRows; ++r) {
          Rows y(1, 70, 1);
          const MatMul call{&matrix->linear, x.view().Rows(r, 1), y.view()};
          one->Run(std::span<const MatMul>(&call, 1));
          for (const float value : y.Values()) alone.push_back(value);
        }
        EXPECT_EQ(FirstDifference(together, alone), -1) << level << " " << Name(format);
      }
}

TEST(Bf16Products, DenormalsAreZero) {
  // Products of 2^-70 * 2^-70 are denormal: each step gives zero, where f32 would keep 2^-137.
  const std::vector<std::uint16_t> codes(64, F32ToBf16(0x1p-70f));
  Linear weight;
  weight.format = WeightFormat::kBF16;
  weight.data = HostView(codes.data(), DType::kBF16, {1, 64});
  weight.stored_rows = 1;
  weight.stored_columns = 64;
  Rows x(1, 64, 1);
  std::fill(x.row(0), x.row(0) + 64, 0x1p-70f);
  for (const std::string& level : LevelsOfProducts()) {
    EXPECT_EQ(Multiply(*OpsAt(level, Profile::kFast), weight, x, 1).row(0)[0], 0.0f) << level;
    EXPECT_EQ(Multiply(*OpsAt(level, Profile::kFloat), weight, x, 1).row(0)[0], 0x1p-134f) << level;
  }
  // The mode ends with the product.
  volatile float tiny = 0x1p-120f;
  EXPECT_GT(tiny * 0x1p-10f, 0.0f);
}

// Every code, subnormals and NaN among them, under scales and activations that are denormal, huge
// or no numbers: the reference's bits for any number of rows.
TEST(Bf16Products, AnyBytesAgree) {
  constexpr std::int64_t kOutputs = 40;
  for (const std::int64_t columns : {300, 384})
    for (const bool with_nan : {false, true})
      for (const bool e8m0 : {false, true}) {
        const auto matrix = MakeMatrix({.format = WeightFormat::kFp8Block,
                                        .rows = kOutputs,
                                        .columns = columns,
                                        .block = columns == 384 ? 32 : 16,
                                        .e8m0 = e8m0},
                                       31);
        Random random(32);
        for (std::byte& code : matrix->codes) {
          const std::uint32_t bits = random.Next32();
          const std::uint32_t range = bits % 4 == 0 ? 0xFFu : 0x87u;  // subnormals, mostly
          code = static_cast<std::byte>(bits >> 8 & range);
          if (!with_nan && (code == std::byte{0x7F} || code == std::byte{0xFF}))
            code = std::byte{1};
        }
        for (std::size_t i = 0; e8m0 && i < matrix->scales.size(); i += 5)
          matrix->scales[i] = static_cast<std::byte>(i % 2 == 0 ? 0 : with_nan ? 255 : 1);
        for (std::size_t i = 0; !e8m0 && i + 4 <= matrix->scales.size(); i += 12) {
          const float scale = i % 24 == 0 ? 0x1p-130f : -0x1p-120f;
          std::memcpy(&matrix->scales[i], &scale, sizeof(scale));
        }
        for (const std::int64_t rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 20}) {
          Rows x(rows, columns, 33);
          const float wild[] = {
              0x1p-130f, -0x1p-127f, 0x1p-126f, -0x1p-118f, with_nan ? 0x1.8p127f : 0x1p20f, 0.0f};
          for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t k = 0; k < columns; ++k)
              if (r == 0 || k % 7 == r % 7)
                x.row(r)[k] = wild[(k + r) % (r == 0 && !with_nan ? 4 : 6)];
          const Rows want = Multiply(*OpsAt("ref", Profile::kFast), matrix->linear, x, rows);
          for (const std::string& level : LevelsOfProducts())
            ASSERT_EQ(FirstDifference(
                          Multiply(*OpsAt(level, Profile::kFast), matrix->linear, x, rows).Values(),
                          want.Values()),
                      -1)
                << level << " " << rows << " rows";
          for (std::int64_t o = 0; !with_nan && o < kOutputs; ++o)
            ASSERT_TRUE(std::isfinite(want.row(0)[o]));
        }
      }
}

TEST(Products, PartsOfAMatrixKeepTheirScales) {
  const auto matrix =
      MakeMatrix({.format = WeightFormat::kFp8Block, .rows = 300, .columns = 200}, 15);
  const Rows x(4, 200, 16);
  for (const std::string& level : LevelsOfProducts())
    for (const Profile profile : {Profile::kFloat, Profile::kFast}) {
      const auto ops = OpsAt(level, profile);
      const Rows whole = Multiply(*ops, matrix->linear, x, 4);
      const Rows part = Multiply(*ops, matrix->linear.StoredRows(101, 77), x, 4);
      for (std::int64_t r = 0; r < 4; ++r)
        for (std::int64_t o = 0; o < 77; ++o) ASSERT_EQ(part.row(r)[o], whole.row(r)[101 + o]);
    }
}

TEST(Products, SeveralCallsSharedActivationsAndBias) {
  const auto q = MakeMatrix({.format = WeightFormat::kBF16, .rows = 70, .columns = 96}, 17);
  const auto k = MakeMatrix({.format = WeightFormat::kQ8_0, .rows = 33, .columns = 96}, 18);
  const auto v = MakeMatrix({.format = WeightFormat::kBF16, .rows = 5, .columns = 96}, 19);
  Rows bias(1, 70, 20);
  const Rows x(6, 96, 21);
  for (const std::string& level : LevelsOfProducts()) {
    const auto ops = OpsAt(level, Profile::kFast, 2);
    Linear biased = q->linear;
    biased.bias = HostView(bias.row(0), DType::kF32, {70});
    Rows yq(6, 70, 1), yk(6, 33, 1), yv(6, 5, 1);
    const MatMul calls[] = {{&biased, x.view(), yq.view()},
                            {&k->linear, x.view(), yk.view()},
                            {&v->linear, x.view(), yv.view()}};
    const std::uint64_t before = ops->weight_bytes_read();
    ops->Run(calls);
    EXPECT_EQ(ops->weight_bytes_read() - before,
              70u * 96 * 2 + 70 * 4 + 33 * 96 / 32 * 34 + 5 * 96 * 2);
    const Rows plain = Multiply(*ops, q->linear, x, 6);
    for (std::int64_t r = 0; r < 6; ++r)
      for (std::int64_t o = 0; o < 70; ++o)
        ASSERT_EQ(yq.row(r)[o], plain.row(r)[o] + bias.row(0)[o]);
    EXPECT_EQ(FirstDifference(yk.Values(), Multiply(*ops, k->linear, x, 6).Values()), -1);
    EXPECT_EQ(FirstDifference(yv.Values(), Multiply(*ops, v->linear, x, 6).Values()), -1);
  }
}

// The rows of a step share one pass over the weights: the counter shows the same for 1 and 8 rows.
TEST(Products, EightRowsReadTheWeightsOnce) {
  for (const std::string& level : Levels())
    for (const Profile profile : {Profile::kFloat, Profile::kFast})
      for (const WeightFormatInfo& info : AllWeightFormats()) {
        const auto matrix = MakeMatrix({.format = info.format, .rows = 40, .columns = 256}, 24);
        const auto ops = OpsAt(level, profile, 2);
        const auto read = [&](std::int64_t rows) {
          const std::uint64_t before = ops->weight_bytes_read();
          Multiply(*ops, matrix->linear, Rows(rows, 256, 25), rows);
          return ops->weight_bytes_read() - before;
        };
        const std::uint64_t one = read(1);
        EXPECT_GE(one, matrix->codes.size()) << level << " " << info.name;
        EXPECT_EQ(read(8), one) << level << " " << info.name;
      }
}

TEST(Products, ExactWeightsAreFloatInEveryProfile) {
  const auto matrix = MakeMatrix({.format = WeightFormat::kBF16, .rows = 40, .columns = 96}, 22);
  Linear exact = matrix->linear;
  exact.exact = true;
  const Rows x(3, 96, 23);
  const auto fast = OpsAt("ref", Profile::kFast), exact_ops = OpsAt("ref", Profile::kFloat);
  const Rows want = Multiply(*exact_ops, matrix->linear, x, 3);
  EXPECT_EQ(FirstDifference(Multiply(*fast, exact, x, 3).Values(), want.Values()), -1);
  EXPECT_NE(FirstDifference(Multiply(*fast, matrix->linear, x, 3).Values(), want.Values()), -1);
}

}  // namespace
}  // namespace hadal
