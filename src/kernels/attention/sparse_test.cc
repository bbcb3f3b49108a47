// Sparse attention: equal to the dense form where it sees the same, near softmax in double
// elsewhere, equal on every level, and dependent on nothing but a row and what it sees.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "kernels/attention/test_softmax.h"
#include "kernels/test_cache.h"
#include "kernels/test_matrix.h"
#include "tests/golden_tensors.h"
#include "tests/shared_dir.h"

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

constexpr float kScale = 0.25f;

struct Heads {
  std::int64_t heads, latent, rope;
  std::int64_t width() const { return latent + rope; }
};

// One part of what the rows of a sequence see.
struct Source {
  const CachedPart* part = nullptr;
  std::int64_t ratio = 1, window = 0;
  std::vector<std::int32_t> chosen;  // [rows, columns]
  std::int64_t columns = 0;

  KeySource key_source(std::int64_t rows) const {
    KeySource source{part->part(), ratio, window, {}};
    if (columns > 0) source.chosen = HostView(chosen.data(), DType::kI32, {rows, columns});
    return source;
  }
  // The entries that row r sees.
  std::vector<std::int64_t> Seen(std::int64_t r, std::int64_t position) const {
    const std::int64_t last = (position + 1) / ratio;
    const std::int64_t first = window == 0 ? 0 : std::max<std::int64_t>(last - window, 0);
    std::vector<std::int64_t> entries;
    for (std::int64_t e = first; e < last; ++e) {
      const auto* list = chosen.data() + r * columns;
      if (columns == 0 || std::find(list, list + columns, e) != list + columns)
        entries.push_back(e);
    }
    return entries;
  }
};

// A random ascending choice of about `count` entries a row among those that it sees.
void Choose(Source* source, std::int64_t rows, std::int64_t position, std::int64_t count,
            std::uint64_t seed) {
  Random random(seed);
  source->columns = count;
  source->chosen.assign(static_cast<std::size_t>(rows * count), -1);
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t visible = (position + r + 1) / source->ratio;
    std::int64_t taken = 0;
    for (std::int64_t e = 0; e < visible && taken < count; ++e) {
      const auto wanted = static_cast<std::uint64_t>(std::min(count, visible));
      if (random.Below(static_cast<std::uint64_t>(visible)) < wanted + wanted / 8)
        source->chosen[static_cast<std::size_t>(r * count + taken++)] =
            static_cast<std::int32_t>(e);
    }
  }
}

struct Call {
  Heads shape;
  std::vector<Source> sources;
  const Rows* q = nullptr;
  std::vector<float> sinks;
  std::int64_t position = 0, rows = 0;
  bool bf16 = false;  // the form that its parts take in the profile that is tested
};

std::vector<float> Sparse(Ops& ops, const Call& c, std::int64_t chunk) {
  Rows y(c.rows, c.shape.heads * c.shape.latent, 1, 1, 2);
  AttendSparse call{.q = c.q->view(),
                    .y = y.view(),
                    .sinks = {},
                    .heads = c.shape.heads,
                    .latent = c.shape.latent,
                    .rope = c.shape.rope,
                    .scale = kScale,
                    .sequences = {}};
  if (!c.sinks.empty()) call.sinks = HostView(c.sinks.data(), DType::kF32, {std::ssize(c.sinks)});
  for (std::int64_t r = 0; r < c.rows; r += chunk) {
    SparseRows rows{.first_row = r,
                    .row_count = std::min(chunk, c.rows - r),
                    .position = c.position + r,
                    .sources = {}};
    for (std::size_t s = 0; s < c.sources.size(); ++s)
      rows.sources[s] = c.sources[s].key_source(c.rows);
    call.sequences = {&rows, 1};
    ops.Run(call);
  }
  return y.Values();
}

void ExpectNearDouble(const Call& c, const std::vector<float>& got, std::int64_t row_step) {
  for (std::int64_t r = 0; r < c.rows; r += row_step)
    for (std::int64_t h = 0; h < c.shape.heads; ++h) {
      std::vector<const float*> seen;
      for (const Source& source : c.sources)
        for (const std::int64_t e : source.Seen(r, c.position + r))
          seen.push_back(source.part->row(e));
      std::optional<float> sink;
      if (!c.sinks.empty()) sink = c.sinks[static_cast<std::size_t>(h)];
      const Exact exact = SoftmaxInDouble({.q = c.q->row(r) + h * c.shape.width(),
                                           .keys = seen,
                                           .values = seen,
                                           .width = c.shape.width(),
                                           .value_width = c.shape.latent,
                                           .scale = static_cast<double>(kScale),
                                           .sink = sink,
                                           .bf16 = c.bf16});
      const float* y = got.data() + (r * c.shape.heads + h) * c.shape.latent;
      for (std::size_t d = 0; d < exact.y.size(); ++d)
        ASSERT_NEAR(static_cast<double>(y[d]), exact.y[d], exact.bound[d])
            << "row " << r << " head " << h << " seen " << seen.size();
    }
}

TEST(AttendSparse, AsDenseWhereAllIsSeen) {
  const Heads shape{5, 20, 12};
  for (const std::string& level : Levels())
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      const auto ops = OpsAt(level, Profile::kFast, 2);
      const CachedPart part({.dtype = dtype, .rows = 140, .width = 32}, 1);
      const Rows q(140, 5 * 32, 2);
      Rows dense(140, 5 * 20, 1);
      const AttendRows rows{
          .first_row = 0, .row_count = 140, .position = 0, .keys = part.part(), .values = {}};
      ops->Run(AttendLatent{q.view(), dense.view(), 5, 20, 12, kScale, {&rows, 1}});
      Source source{.part = &part, .chosen = {}};
      Call call{shape, {source}, &q, {}, 0, 140};
      EXPECT_EQ(FirstDifference(Sparse(*ops, call, 140), dense.Values()), -1) << level;
      call.sources[0].window = 1000;
      EXPECT_EQ(FirstDifference(Sparse(*ops, call, 9), dense.Values()), -1) << level;
      call.sources[0].columns = 150;
      for (std::int64_t r = 0; r < 140; ++r)
        for (std::int32_t e = 0; e < 150; ++e) call.sources[0].chosen.push_back(e <= r ? e : -1);
      EXPECT_EQ(FirstDifference(Sparse(*ops, call, 140), dense.Values()), -1) << level;
      // What is not yet visible is not read though it be listed.
      for (std::size_t i = 0; i < call.sources[0].chosen.size(); ++i)
        call.sources[0].chosen[i] = static_cast<std::int32_t>(i % 150);
      EXPECT_EQ(FirstDifference(Sparse(*ops, call, 140), dense.Values()), -1) << level;
    }
}

TEST(AttendSparse, NearDoubleOverContextsWindowsAndRatios) {
  const Heads shape{3, 24, 8};
  const CachedPart first({.rows = 5008, .width = 32, .page_rows = 64}, 3);
  const CachedPart second({.dtype = DType::kBF16, .rows = 5008, .width = 32, .page_rows = 32}, 4);
  const auto ops = OpsAt("", Profile::kFloat, 2);
  std::uint64_t seed = 5;
  for (const std::int64_t position : {0, 1, 6, 127, 128, 200, 1000, 4990})
    for (const std::int64_t ratio : {1, 2, 4, 128})
      for (const std::int64_t window : {0, 1, 7, 64, 128}) {
        const std::int64_t rows = 10;
        const Rows q(rows, shape.heads * shape.width(), ++seed);
        Source a{.part = &first, .window = window, .chosen = {}};
        Source b{.part = &second, .ratio = ratio, .chosen = {}};
        if (seed % 3 != 0) Choose(&b, rows, position, 40, seed);
        Call call{shape, {a, b}, &q, {}, position, rows};
        if (seed % 2 == 0) call.sinks = {-90.0f, 0.3f, 95.0f};
        ExpectNearDouble(call, Sparse(*ops, call, 10), 9);
      }
}

CachedPartShape Packed(CacheForm form, std::int64_t rows) {
  CachedPartShape shape{.dtype = DType::kU8, .rows = rows, .width = 0, .form = form};
  shape.width = form == CacheForm::kFp8Latent ? 256 + 64 : 128 + 64;
  if (form == CacheForm::kFp8Latent || form == CacheForm::kFp8Rope) shape.plain_columns = 64;
  return shape;
}

// Every stored form, whole blocks and short ones, pages of several sizes, some given back.
TEST(AttendSparse, LevelsFormsPagesAndChunksAgree) {
  std::vector<CachedPartShape> shapes = {
      {.rows = 300, .width = 192},
      {.dtype = DType::kBF16, .rows = 300, .width = 192},
      {.dtype = DType::kBF16,
       .rows = 300,
       .width = 192,
       .form = CacheForm::kFp8Rope,
       .plain_columns = 64},
      {.dtype = DType::kU8, .rows = 300, .width = 41, .form = CacheForm::kFp4Entry},
      {.dtype = DType::kU8,
       .rows = 300,
       .width = 90,
       .form = CacheForm::kFp8Rope,
       .plain_columns = 10}};
  for (const CacheForm form :
       {CacheForm::kFp8Latent, CacheForm::kFp8Rope, CacheForm::kFp8Window, CacheForm::kFp4Entry,
        CacheForm::kFp4Index, CacheForm::kInt8Index, CacheForm::kFp8Index})
    shapes.push_back(Packed(form, 300));
  std::uint64_t seed = 40;
  for (CachedPartShape shape : shapes) {
    const Heads heads{static_cast<std::int64_t>(seed % 3) + 2, shape.width - 8, 8};
    const std::int64_t position = 250, rows = 13;
    const Rows q(rows, heads.heads * shape.width, ++seed, 3, 5);
    std::vector<float> want;
    for (const std::int64_t page_rows : {64, 1, 48, 128}) {
      shape.page_rows = page_rows;
      shape.first_row = 200;  // the window of the first row begins at 231
      const CachedPart window(shape, 100);
      shape.first_row = 0;
      const CachedPart entries(shape, 101);
      Source a{.part = &window, .window = 20, .chosen = {}};
      Source b{.part = &entries, .ratio = 2, .chosen = {}};
      Choose(&b, rows, position, 70, 99);
      Call call{heads, {a, b}, &q, {}, position, rows};
      for (std::int64_t h = 0; h < heads.heads; ++h) call.sinks.push_back(0.2f);
      call.bf16 = shape.dtype != DType::kF32;
      if (want.empty()) {
        want = Sparse(*OpsAt("ref", Profile::kFast), call, rows);
        ExpectNearDouble(call, want, 12);
      }
      int threads = 0;
      for (const std::string& level : Levels()) {
        const auto ops = OpsAt(level, Profile::kFast, threads++ % 3 + 1);
        ASSERT_EQ(FirstDifference(Sparse(*ops, call, threads % 2 == 0 ? 13 : 5), want), -1)
            << level << " form " << static_cast<int>(shape.form) << " pages of " << page_rows;
      }
    }
  }
}

// Windows alone, many rows of few heads: rows of a job see different parts of a block.
TEST(AttendSparse, WindowsOfManyRowsAgree) {
  for (const std::int64_t window : {1, 3, 60, 64, 65, 128})
    for (const std::int64_t heads : {1, 3}) {
      const Heads shape{heads, 17, 7};
      const CachedPart part({.rows = 330, .width = 24}, 7);
      const Rows q(330, heads * 24, 8);
      Call call{shape, {Source{.part = &part, .window = window, .chosen = {}}}, &q, {}, 0, 330};
      const std::vector<float> want = Sparse(*OpsAt("ref", Profile::kFast), call, 1);
      ExpectNearDouble(call, want, 41);
      for (const std::string& level : Levels())
        for (const std::int64_t chunk : {1, 64, 330})
          ASSERT_EQ(FirstDifference(Sparse(*OpsAt(level, Profile::kFast, 2), call, chunk), want),
                    -1)
              << level << " window " << window << " chunk " << chunk;
    }
}

TEST(AttendSparse, SeesNothingButASink) {
  const CachedPart part({.rows = 4, .width = 16}, 7);
  const Rows q(2, 16, 8);
  for (const std::string& level : Levels()) {
    Call call{{1, 16, 0}, {Source{.part = &part, .ratio = 4, .chosen = {}}}, &q, {0.5f}, 0, 2};
    for (const float y : Sparse(*OpsAt(level, Profile::kFast), call, 2)) ASSERT_EQ(y, 0.0f);
  }
}

TEST(AttendSparse, SinksAgainstGoldens) {
  HADAL_NEEDS_SHARED(shared);
  const GoldenTensors goldens(shared + "/golden/units/blocks.safetensors");
  const std::int64_t queries = goldens["sink.q"].shape[0], heads = goldens["sink.q"].shape[1];
  const std::int64_t width = goldens["sink.keys"].columns(), tokens = goldens["sink.keys"].rows();
  const CachedPart part({.rows = tokens, .width = width}, goldens["sink.keys"].Floats());
  std::vector<float> q(static_cast<std::size_t>(queries * heads * width));
  for (std::size_t i = 0; i < q.size(); ++i)
    q[i] = goldens["sink.q"].F32(static_cast<std::int64_t>(i));
  const GoldenTensor& sink = goldens["sink.sink"];
  for (const std::string& level : Levels())
    for (const std::string name : {"sink.out", "sink.out_first_key_only"}) {
      std::vector<float> y(q.size());
      // Every query sees the first `visible` keys.
      const std::int64_t visible = name == "sink.out" ? tokens : 1;
      std::vector<SparseRows> rows;
      for (std::int64_t r = 0; r < queries; ++r) {
        SparseRows row{.first_row = r, .row_count = 1, .position = visible - 1, .sources = {}};
        row.sources[0].rows = part.part();
        rows.push_back(row);
      }
      const float scale = 1.0f / std::sqrt(static_cast<float>(width));
      OpsAt(level, Profile::kFast, 2)
          ->Run(AttendSparse{HostView(q.data(), DType::kF32, {queries, heads * width}),
                             HostView(y.data(), DType::kF32, {queries, heads * width}),
                             HostView(sink.data, DType::kF32, {heads}), heads, width, 0, scale,
                             rows});
      for (std::size_t i = 0; i < y.size(); ++i)
        ASSERT_NEAR(y[i], goldens[name].F32(static_cast<std::int64_t>(i)), 2e-6f)
            << level << " " << name << " " << i;
    }
}

}  // namespace
}  // namespace hadal
