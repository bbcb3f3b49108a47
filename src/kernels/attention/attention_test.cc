// Attention: reference against softmax in double, levels against the reference, and the promise
// that a row's result depends on itself and its keys alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/attention/test_softmax.h"
#include "kernels/test_cache.h"
#include "kernels/test_matrix.h"

namespace hadal {
namespace {

using kernel_test::CachedPart;
using kernel_test::Exact;
using kernel_test::FirstDifference;
using kernel_test::Levels;
using kernel_test::OpsAt;
using kernel_test::Rows;
using kernel_test::SoftmaxInDouble;

class Part : public CachedPart {
 public:
  Part(DType dtype, std::int64_t tokens, std::int64_t width, std::uint64_t seed)
      : CachedPart({.dtype = dtype, .rows = tokens, .width = width}, seed) {}
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

// Columns from `column` on of the first `count` rows.
std::vector<const float*> FirstRows(const CachedPart& part, std::int64_t count,
                                    std::int64_t column) {
  std::vector<const float*> rows;
  for (std::int64_t t = 0; t < count; ++t) rows.push_back(part.row(t) + column);
  return rows;
}

void ExpectNear(const Exact& exact, const float* y, const std::string& what) {
  for (std::size_t d = 0; d < exact.y.size(); ++d)
    ASSERT_NEAR(static_cast<double>(y[d]), exact.y[d], exact.bound[d]) << what << " value " << d;
}

TEST(Attention, LatentReferenceNearDouble) {
  const LatentShape s{3, 24, 8};
  const auto ops = OpsAt("ref", Profile::kFloat);
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const Part keys(dtype, 140, s.latent + s.rope, 1);
    const Rows q(140, s.heads * (s.latent + s.rope), 2);
    const std::vector<float> y = Latent(*ops, s, keys, q, 0, 140, 140);
    for (const std::int64_t r : {0, 1, 63, 64, 65, 139})
      for (std::int64_t h = 0; h < s.heads; ++h)
        ExpectNear(SoftmaxInDouble({.q = q.row(r) + h * (s.latent + s.rope),
                                    .keys = FirstRows(keys, r + 1, 0),
                                    .values = FirstRows(keys, r + 1, 0),
                                    .width = s.latent + s.rope,
                                    .value_width = s.latent,
                                    .scale = static_cast<double>(0.3f),
                                    .sink = {}}),
                   y.data() + (r * s.heads + h) * s.latent, "row " + std::to_string(r));
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
      for (std::int64_t h = 0; h < s.heads; ++h)
        ExpectNear(SoftmaxInDouble({.q = q.row(r) + h * s.head_dim,
                                    .keys = FirstRows(keys, r + 1, h / 3 * s.head_dim),
                                    .values = FirstRows(values, r + 1, h / 3 * s.head_dim),
                                    .width = s.head_dim,
                                    .value_width = s.head_dim,
                                    .scale = static_cast<double>(0.2f),
                                    .sink = {}}),
                   y.data() + (r * s.heads + h) * s.head_dim, "row " + std::to_string(r));
  }
}

TEST(Attention, RowsAloneEqualRowsTogether) {
  const LatentShape s{5, 20, 12};
  const GroupedShape g{6, 3, 10}, narrow{6, 2, 16};
  for (const std::string& level : Levels())
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      const auto ops = OpsAt(level, Profile::kFast, 2);
      const Part latents(dtype, 140, 32, 6), keys(dtype, 140, 30, 7), values(dtype, 140, 30, 8);
      const Rows q(140, 5 * 32, 9), gq(140, 6 * 10, 10);
      const std::vector<float> latent = Latent(*ops, s, latents, q, 0, 140, 140);
      const std::vector<float> grouped = Grouped(*ops, g, keys, values, gq, 0, 140, 140);
      const Part narrow_keys(dtype, 140, 32, 19), narrow_values(dtype, 140, 32, 20);
      const Rows nq(140, 6 * 16, 21);
      const std::vector<float> turned =
          Grouped(*ops, narrow, narrow_keys, narrow_values, nq, 0, 140, 140);
      for (const std::int64_t chunk : {1, 7, 64}) {
        EXPECT_EQ(FirstDifference(latent, Latent(*ops, s, latents, q, 0, 140, chunk)), -1)
            << level << " chunk " << chunk;
        EXPECT_EQ(FirstDifference(grouped, Grouped(*ops, g, keys, values, gq, 0, 140, chunk)), -1)
            << level << " chunk " << chunk;
        EXPECT_EQ(FirstDifference(
                      turned, Grouped(*ops, narrow, narrow_keys, narrow_values, nq, 0, 140, chunk)),
                  -1)
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
  const GroupedShape groups[] = {{1, 1, 1},   {9, 3, 64},  {4, 4, 15}, {14, 2, 128},
                                 {12, 2, 32}, {2, 2, 112}, {5, 1, 16}, {3, 1, 144}};
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
