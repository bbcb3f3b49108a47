// The bf16 form of attention: near softmax in double, the same bits on every level, and nothing of
// what a query does not see in its result, though half of a pair be seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "kernels/attention/test_softmax.h"
#include "kernels/test_cache.h"
#include "kernels/test_matrix.h"

namespace hadal {
namespace {

using kernel_test::CachedPart;
using kernel_test::CachedPartShape;
using kernel_test::Exact;
using kernel_test::FirstDifference;
using kernel_test::Levels;
using kernel_test::OpsAt;
using kernel_test::Rows;
using kernel_test::SoftmaxInDouble;

constexpr float kScale = 0.125f;

struct Shape {
  std::int64_t heads, latent, rope;
  std::int64_t width() const { return latent + rope; }
};

// `count` rows from `position` on, `chunk` at a time.
std::vector<float> Attend(Ops& ops, const Shape& s, const CachedPart& keys, const Rows& q,
                          std::int64_t position, std::int64_t count, std::int64_t chunk,
                          std::int64_t window = 0) {
  Rows y(count, s.heads * s.latent, 1, 1, 2);
  for (std::int64_t r = 0; r < count; r += chunk) {
    SparseRows rows{.first_row = r,
                    .row_count = std::min(chunk, count - r),
                    .position = position + r,
                    .sources = {}};
    rows.sources[0].rows = keys.part();
    rows.sources[0].window = window;
    ops.Run(AttendSparse{.q = q.view(),
                         .y = y.view(),
                         .sinks = {},
                         .heads = s.heads,
                         .latent = s.latent,
                         .rope = s.rope,
                         .scale = kScale,
                         .sequences = {&rows, 1}});
  }
  return y.Values();
}

CachedPartShape Bf16Rows(std::int64_t rows, std::int64_t width) {
  return {.dtype = DType::kBF16, .rows = rows, .width = width};
}

TEST(AttentionBf16, NearDoubleAndWithinItsBoundOnly) {
  const Shape s{3, 64, 32};
  const CachedPart keys(Bf16Rows(200, s.width()), 1);
  const Rows q(200, s.heads * s.width(), 2);
  const std::vector<float> fast = Attend(*OpsAt("ref", Profile::kFast), s, keys, q, 0, 200, 200);
  const std::vector<float> plain = Attend(*OpsAt("ref", Profile::kFloat), s, keys, q, 0, 200, 200);
  bool differs = false;
  for (std::int64_t r = 0; r < 200; r += 9)
    for (std::int64_t h = 0; h < s.heads; ++h) {
      kernel_test::SoftmaxCase c{.q = q.row(r) + h * s.width(),
                                 .keys = {},
                                 .values = {},
                                 .width = s.width(),
                                 .value_width = s.latent,
                                 .scale = static_cast<double>(kScale),
                                 .sink = {},
                                 .bf16 = true};
      for (std::int64_t t = 0; t <= r; ++t) c.keys.push_back(keys.row(t));
      c.values = c.keys;
      const Exact exact = SoftmaxInDouble(c);
      c.bf16 = false;
      const Exact f32 = SoftmaxInDouble(c);
      for (std::size_t d = 0; d < exact.y.size(); ++d) {
        const std::size_t at = static_cast<std::size_t>((r * s.heads + h) * s.latent) + d;
        ASSERT_NEAR(static_cast<double>(fast[at]), exact.y[d], exact.bound[d]) << r << " " << h;
        ASSERT_NEAR(static_cast<double>(plain[at]), f32.y[d], f32.bound[d]) << r << " " << h;
        differs = differs || std::fabs(static_cast<double>(fast[at]) - f32.y[d]) > f32.bound[d];
      }
    }
  EXPECT_TRUE(differs) << "profile fast does not round";
}

// Every end of a pair, of a block and of a group of columns; queries that share a job see different
// places.
TEST(AttentionBf16, LevelsAndChunksAgree) {
  const Shape shapes[] = {{1, 1, 1},   {2, 31, 1},  {5, 32, 0},   {3, 33, 31},
                          {9, 64, 32}, {2, 160, 7}, {16, 512, 64}};
  std::uint64_t seed = 10;
  for (const Shape& s : shapes)
    for (const std::int64_t window : {0, 1, 37}) {
      const std::int64_t position = seed % 2 == 0 ? 0 : 59, rows = s.latent > 100 ? 4 : 70;
      const CachedPart keys(Bf16Rows(position + rows, s.width()), ++seed);
      const Rows q(rows, s.heads * s.width(), ++seed, 3, 5);
      const std::vector<float> want =
          Attend(*OpsAt("ref", Profile::kFast), s, keys, q, position, rows, 1, window);
      int threads = 0;
      for (const std::string& level : Levels())
        for (const std::int64_t chunk : {std::int64_t{6}, rows}) {
          const auto ops = OpsAt(level, Profile::kFast, threads++ % 3 + 1);
          ASSERT_EQ(FirstDifference(Attend(*ops, s, keys, q, position, rows, chunk, window), want),
                    -1)
              << level << " latent " << s.latent << " window " << window << " chunk " << chunk;
        }
    }
}

// Numbers at which the steps could differ: denormals and their neighbours, signed zeros, ties of
// rounding, infinities and NaN.
TEST(AttentionBf16, LevelsAgreeOnOddNumbers) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> small = {0.0f,         -0.0f,       0x1p-126f, -0x1p-126f,  0x1p-127f,
                                    -0x1.8p-130f, 0x1.02p-64f, -0x1p-63f, 0x1.fep-63f, 0x1p-20f,
                                    1.0f,         0x1.01p0f,   0x1.03p0f, -3.0f,       0x1p60f};
  std::vector<float> wild = small;
  wild.insert(wild.end(), {kInfinity, -kInfinity, std::nanf("")});
  const Shape s{4, 48, 16};
  Random random(77);
  for (int round = 0; round < 24; ++round) {
    const std::vector<float>& numbers = round % 4 == 3 ? wild : small;
    const auto pick = [&] { return numbers[random.Below(numbers.size())]; };
    std::vector<float> values(static_cast<std::size_t>(90 * s.width()));
    for (float& value : values) value = pick();
    const CachedPart keys(Bf16Rows(90, s.width()), values);
    Rows q(6, s.heads * s.width(), 5);
    for (std::int64_t r = 0; r < 6; ++r)
      for (std::int64_t i = 0; i < s.heads * s.width(); ++i) q.row(r)[i] = pick();
    const std::vector<float> want = Attend(*OpsAt("ref", Profile::kFast), s, keys, q, 83, 6, 1);
    for (const std::string& level : Levels())
      for (const std::int64_t chunk : {1, 6})
        ASSERT_EQ(FirstDifference(
                      Attend(*OpsAt(level, Profile::kFast, 2), s, keys, q, 83, 6, chunk), want),
                  -1)
            << level << " chunk " << chunk << " round " << round;
  }
}

// Later rows of a chunk hold infinities and NaN; each row's result is that of a cache without them.
TEST(AttentionBf16, NothingUnseenLeaks) {
  const Shape s{3, 40, 24};
  const std::int64_t tokens = 80;
  const std::vector<float> clean = Rows(tokens, s.width(), 3).Values();
  const Rows q(tokens, s.heads * s.width(), 4);
  for (const std::string& level : Levels())
    for (const std::int64_t bad : {1, 4, 63, 64, 71}) {
      std::vector<float> spoilt = clean;
      for (std::int64_t i = 0; i < s.width(); ++i)
        spoilt[static_cast<std::size_t>(bad * s.width() + i)] =
            i % 2 == 0 ? std::numeric_limits<float>::infinity() : std::nanf("");
      const CachedPart good(Bf16Rows(tokens, s.width()), clean);
      const CachedPart poor(Bf16Rows(tokens, s.width()), spoilt);
      for (const std::int64_t window : {0, 5}) {
        const auto ops = OpsAt(level, Profile::kFast, 2);
        const std::vector<float> want = Attend(*ops, s, good, q, 0, tokens, tokens, window);
        const std::vector<float> got = Attend(*ops, s, poor, q, 0, tokens, tokens, window);
        const auto row = static_cast<std::size_t>(s.heads * s.latent);
        for (std::size_t r = 0; r < static_cast<std::size_t>(tokens); ++r) {
          const auto t = static_cast<std::int64_t>(r);
          if (t >= bad && (window == 0 || t < bad + window)) continue;
          ASSERT_TRUE(std::equal(want.begin() + static_cast<std::ptrdiff_t>(r * row),
                                 want.begin() + static_cast<std::ptrdiff_t>((r + 1) * row),
                                 got.begin() + static_cast<std::ptrdiff_t>(r * row)))
              << level << " row " << r << " bad " << bad << " window " << window;
        }
      }
    }
}

}  // namespace
}  // namespace hadal
