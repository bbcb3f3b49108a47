// Attention: reference against softmax in double, levels against the reference, and the promise
// that a row's result depends on itself and its keys alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernels/test_matrix.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

using kernel_test::FirstDifference;
using kernel_test::Levels;
using kernel_test::OpsAt;
using kernel_test::Rows;

// A cache part of `tokens` random rows, in pages that do not follow one another in memory.
class Part {
 public:
  Part(DType dtype, std::int64_t tokens, std::int64_t width, std::uint64_t seed)
      : values_(static_cast<std::size_t>(tokens * width)) {
    const std::int64_t pages = (tokens + kPageTokens - 1) / kPageTokens;
    const std::int64_t bytes = Info(dtype).block_bytes, page_bytes = kPageTokens * width * bytes;
    // Unwritten rows hold NaN: whoever reads a key that is not visible will show it.
    memory_.assign(static_cast<std::size_t>(pages * (page_bytes + 128)), std::byte{0xFF});
    for (std::int64_t p = 0; p < pages; ++p)
      pages_.push_back(reinterpret_cast<std::uint64_t>(memory_.data()) +
                       static_cast<std::uint64_t>((pages - 1 - p) * (page_bytes + 128)));
    part_.pages = pages_;
    part_.offset_bytes = 64;
    part_.dtype = dtype;
    part_.width = width;
    Rows x(tokens, width, seed);
    OpsAt("ref", Profile::kFloat)->Run(StoreRows{x.view(), part_, 0});
    for (std::int64_t t = 0; t < tokens; ++t)
      for (std::int64_t i = 0; i < width; ++i) {
        const float value = x.row(t)[i];
        values_[static_cast<std::size_t>(t * width + i)] =
            dtype == DType::kBF16 ? Bf16ToF32(F32ToBf16(value)) : value;
      }
  }
  const PagedRows& part() const { return part_; }
  const float* row(std::int64_t t) const { return values_.data() + t * part_.width; }

 private:
  std::vector<std::byte> memory_;
  std::vector<std::uint64_t> pages_;
  std::vector<float> values_;  // as stored
  PagedRows part_;
};

struct LatentShape {
  std::int64_t heads, latent, rope;
};
struct GroupedShape {
  std::int64_t heads, kv_heads, head_dim;
};

// Rows [first, first + count) of the sequence as one call each time `chunk` rows.
std::vector<float> Latent(Ops& ops, const LatentShape& s, const Part& keys, const Rows& q,
                          std::int64_t position, std::int64_t count, std::int64_t chunk) {
  Rows y(count, s.heads * s.latent, 1, 1, 2);
  for (std::int64_t r = 0; r < count; r += chunk) {
    const AttendRows rows{.first_row = r,
                          .row_count = std::min(chunk, count - r),
                          .position = position + r,
                          .keys = keys.part(),
                          .values = {}};
    ops.Run(AttendLatent{q.view(), y.view(), s.heads, s.latent, s.rope, 0.3f, {&rows, 1}});
  }
  return y.Values();
}

std::vector<float> Grouped(Ops& ops, const GroupedShape& s, const Part& keys, const Part& values,
                           const Rows& q, std::int64_t position, std::int64_t count,
                           std::int64_t chunk) {
  Rows y(count, s.heads * s.head_dim, 1, 1, 2);
  for (std::int64_t r = 0; r < count; r += chunk) {
    const AttendRows rows{.first_row = r,
                          .row_count = std::min(chunk, count - r),
                          .position = position + r,
                          .keys = keys.part(),
                          .values = values.part()};
    ops.Run(AttendGrouped{q.view(), y.view(), s.heads, s.kv_heads, s.head_dim, 0.2f, {&rows, 1}});
  }
  return y.Values();
}

// One query against `visible` keys in double. Errors of the f32 form: the score by (width / 16 + 6)
// roundings of sum |q k| * scale, which the exponential turns into a relative error of p; the
// weighted sum by a rounding a key and two a block.
struct Exact {
  std::vector<double> y, bound;
};
Exact SoftmaxInDouble(const float* q, std::int64_t visible, std::int64_t width, double scale,
                      std::int64_t value_width,
                      const std::function<const float*(std::int64_t)>& key,
                      const std::function<const float*(std::int64_t)>& value) {
  std::vector<double> score(static_cast<std::size_t>(visible));
  double top = -1e300, score_error = 0.0;
  for (std::int64_t j = 0; j < visible; ++j) {
    double dot = 0.0, size = 0.0;
    for (std::int64_t i = 0; i < width; ++i) {
      const double product = static_cast<double>(q[i]) * static_cast<double>(key(j)[i]);
      dot += product;
      size += std::fabs(product);
    }
    score[static_cast<std::size_t>(j)] = dot * scale;
    top = std::max(top, dot * scale);
    score_error =
        std::max(score_error, (static_cast<double>(width) / 16 + 7) * 0x1p-24 * size * scale);
  }
  Exact exact;
  double sum = 0.0;
  for (const double s : score) sum += std::exp(s - top);
  const double relative =
      2 * (score_error + 4 * 0x1p-24) + static_cast<double>(visible + visible / 16 + 8) * 0x1p-23;
  for (std::int64_t d = 0; d < value_width; ++d) {
    double y = 0.0, size = 0.0;
    for (std::int64_t j = 0; j < visible; ++j) {
      const double p = std::exp(score[static_cast<std::size_t>(j)] - top) / sum;
      y += p * static_cast<double>(value(j)[d]);
      size += std::fabs(p * static_cast<double>(value(j)[d]));
    }
    exact.y.push_back(y);
    exact.bound.push_back(relative * size + 1e-30);
  }
  return exact;
}

TEST(Attention, LatentReferenceNearDouble) {
  const LatentShape s{3, 24, 8};
  const auto ops = OpsAt("ref", Profile::kFloat);
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const Part keys(dtype, 140, s.latent + s.rope, 1);
    const Rows q(140, s.heads * (s.latent + s.rope), 2);
    const std::vector<float> y = Latent(*ops, s, keys, q, 0, 140, 140);
    const auto row_of = [&](std::int64_t t) { return keys.row(t); };
    for (const std::int64_t r : {0, 1, 63, 64, 65, 139})
      for (std::int64_t h = 0; h < s.heads; ++h) {
        const Exact exact =
            SoftmaxInDouble(q.row(r) + h * (s.latent + s.rope), r + 1, s.latent + s.rope,
                            static_cast<double>(0.3f), s.latent, row_of, row_of);
        for (std::int64_t d = 0; d < s.latent; ++d)
          ASSERT_NEAR(
              static_cast<double>(y[static_cast<std::size_t>((r * s.heads + h) * s.latent + d)]),
              exact.y[static_cast<std::size_t>(d)], exact.bound[static_cast<std::size_t>(d)])
              << "row " << r << " head " << h;
      }
  }
}

TEST(Attention, GroupedReferenceNearDouble) {
  const GroupedShape s{6, 2, 16};
  const auto ops = OpsAt("ref", Profile::kFloat);
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const Part keys(dtype, 130, s.kv_heads * s.head_dim, 3);
    const Part values(dtype, 130, s.kv_heads * s.head_dim, 4);
    const Rows q(130, s.heads * s.head_dim, 5);
    const std::vector<float> y = Grouped(*ops, s, keys, values, q, 0, 130, 130);
    for (const std::int64_t r : {0, 5, 64, 129})
      for (std::int64_t h = 0; h < s.heads; ++h) {
        const std::int64_t column = h / 3 * s.head_dim;
        const Exact exact = SoftmaxInDouble(
            q.row(r) + h * s.head_dim, r + 1, s.head_dim, static_cast<double>(0.2f), s.head_dim,
            [&](std::int64_t t) { return keys.row(t) + column; },
            [&](std::int64_t t) { return values.row(t) + column; });
        for (std::int64_t d = 0; d < s.head_dim; ++d)
          ASSERT_NEAR(
              static_cast<double>(y[static_cast<std::size_t>((r * s.heads + h) * s.head_dim + d)]),
              exact.y[static_cast<std::size_t>(d)], exact.bound[static_cast<std::size_t>(d)])
              << "row " << r << " head " << h;
      }
  }
}

TEST(Attention, RowsAloneEqualRowsTogether) {
  const LatentShape s{5, 20, 12};
  const GroupedShape g{6, 3, 10};
  for (const std::string& level : Levels())
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      const auto ops = OpsAt(level, Profile::kFast, 2);
      const Part latents(dtype, 140, 32, 6), keys(dtype, 140, 30, 7), values(dtype, 140, 30, 8);
      const Rows q(140, 5 * 32, 9), gq(140, 6 * 10, 10);
      const std::vector<float> latent = Latent(*ops, s, latents, q, 0, 140, 140);
      const std::vector<float> grouped = Grouped(*ops, g, keys, values, gq, 0, 140, 140);
      for (const std::int64_t chunk : {1, 7, 64}) {
        EXPECT_EQ(FirstDifference(latent, Latent(*ops, s, latents, q, 0, 140, chunk)), -1)
            << level << " chunk " << chunk;
        EXPECT_EQ(FirstDifference(grouped, Grouped(*ops, g, keys, values, gq, 0, 140, chunk)), -1)
            << level << " chunk " << chunk;
      }
    }
}

// The same call on the reference and on every level with one to three threads.
template <typename RunOn>
void ExpectLevelsAgree(const std::string& what, RunOn run) {
  const std::vector<float> want = run(*OpsAt("ref", Profile::kFast));
  int threads = 0;
  for (const std::string& level : Levels()) {
    const auto ops = OpsAt(level, Profile::kFast, threads % 3 + 1);
    ASSERT_EQ(FirstDifference(run(*ops), want), -1) << level << " " << what;
    ++threads;
  }
}

TEST(Attention, LevelsAndThreadsAgree) {
  const LatentShape latents[] = {{1, 1, 1}, {3, 17, 7}, {70, 33, 0}, {2, 512, 64}};
  const GroupedShape groups[] = {{1, 1, 1}, {9, 3, 64}, {4, 4, 15}, {14, 2, 128}};
  for (const DType dtype : {DType::kF32, DType::kBF16})
    for (const std::int64_t position : {0, 61, 64, 130}) {
      const std::int64_t rows = position % 3 == 0 ? 1 : 5, tokens = position + rows;
      for (const LatentShape& s : latents) {
        const Part keys(dtype, tokens, s.latent + s.rope, 11);
        const Rows q(rows, s.heads * (s.latent + s.rope), 12, position % 7, 3);
        ExpectLevelsAgree("latent " + std::to_string(s.latent),
                          [&](Ops& ops) { return Latent(ops, s, keys, q, position, rows, rows); });
      }
      for (const GroupedShape& s : groups) {
        const Part keys(dtype, tokens, s.kv_heads * s.head_dim, 13);
        const Part values(dtype, tokens, s.kv_heads * s.head_dim, 14);
        const Rows q(rows, s.heads * s.head_dim, 15, position % 7, 3);
        ExpectLevelsAgree("grouped " + std::to_string(s.head_dim), [&](Ops& ops) {
          return Grouped(ops, s, keys, values, q, position, rows, rows);
        });
      }
    }
}

TEST(Attention, SequencesOfOneCallAreApart) {
  for (const std::string& level : Levels()) {
    const auto ops = OpsAt(level, Profile::kFast, 2);
    const Part a(DType::kF32, 90, 32, 16), b(DType::kF32, 70, 32, 17);
    const Rows q(12, 4 * 32, 18);
    Rows y(12, 4 * 16, 1);
    const AttendRows sequences[] = {
        {.first_row = 0, .row_count = 2, .position = 88, .keys = a.part(), .values = {}},
        {.first_row = 2, .row_count = 10, .position = 60, .keys = b.part(), .values = {}}};
    ops->Run(AttendLatent{q.view(), y.view(), 4, 16, 16, 0.3f, sequences});
    Rows alone(12, 4 * 16, 1);
    for (const AttendRows& rows : sequences)
      ops->Run(AttendLatent{q.view(), alone.view(), 4, 16, 16, 0.3f, {&rows, 1}});
    EXPECT_EQ(FirstDifference(y.Values(), alone.Values()), -1) << level;
  }
}

}  // namespace
}  // namespace hadal
