// The row-wise entries: reference against double, levels against the reference, goldens.
#include "kernels/cpu_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "kernels/cpu_level.h"
#include "kernels/test_matrix.h"
#include "numeric/formats.h"
#include "numeric/math.h"
#include "tests/golden_tensors.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

using kernel_test::Decoded;
using kernel_test::FirstDifference;
using kernel_test::Levels;
using kernel_test::MakeMatrix;
using kernel_test::OpsAt;
using kernel_test::Rows;

constexpr std::int64_t kTails[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 576};

TEST(CpuLevel, BestForcedAndRefused) {
  const std::uint32_t avx2 = Info(CpuLevel::kAvx2).required;
  EXPECT_EQ(ChooseCpuLevel(0).value(), CpuLevel::kRef);
  EXPECT_EQ(ChooseCpuLevel(avx2).value(), CpuLevel::kAvx2);
  EXPECT_EQ(ChooseCpuLevel(avx2, "ref").value(), CpuLevel::kRef);
  const std::uint32_t vnni = Info(CpuLevel::kAvx512Vnni).required;
  EXPECT_EQ(ChooseCpuLevel(vnni).value(), CpuLevel::kAvx512Vnni);
  EXPECT_EQ(ChooseCpuLevel(~0u).value(), CpuLevel::kAmx);
  // Tiles that the system does not save, or of which one kind lacks.
  EXPECT_EQ(ChooseCpuLevel(vnni | kCpuAmxInt8 | kCpuAmxBf16).value(), CpuLevel::kAvx512Vnni);
  EXPECT_EQ(ChooseCpuLevel(~0u & ~kCpuAmxBf16).value(), CpuLevel::kAvx512Bf16);
  EXPECT_EQ(ChooseCpuLevel(~0u & ~kCpuAvx512Bf16).value(), CpuLevel::kAvx512Vnni);
  const Status absent = ChooseCpuLevel(avx2, "avx512").status();
  EXPECT_EQ(absent.code(), Code::kUnsupported);
  EXPECT_NE(absent.ToString().find("one of: ref, avx2"), std::string::npos);
  EXPECT_EQ(ChooseCpuLevel(avx2, "sse9").status().code(), Code::kUsage);
}

TEST(CpuOps, ForcedLevelIsTheActiveOne) {
  for (const std::string& level : Levels()) EXPECT_EQ(OpsAt(level, Profile::kFast)->level(), level);
  EXPECT_EQ(OpsAt("", Profile::kFast)->level(), Levels().back());
}

TEST(CpuOps, MemoryIsAlignedZeroedAndBounded) {
  const auto ops = OpsAt("", Profile::kFast);
  const View memory = ops->Allocate(1000);
  ASSERT_FALSE(memory.empty());
  EXPECT_EQ(memory.handle % 64, 0u);
  EXPECT_EQ(memory.shape[0], 1000);
  const auto* bytes = static_cast<const unsigned char*>(ops->Fetch(memory));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(bytes[i], 0);
  const int value = 77;
  ops->Put(memory, &value, sizeof(value));
  EXPECT_EQ(bytes[0], 77);
  ops->Free(memory);
  EXPECT_TRUE(ops->Allocate(~std::uint64_t{0}).empty());
}

TEST(RmsNorm, NearDoubleAndSameAtEveryLevel) {
  for (const std::int64_t n : kTails) {
    const Rows x(3, n, 1, n % 4, 1), weight(1, n, 2, n % 3);
    Rows want(3, n, 3);
    OpsAt("ref", Profile::kFloat)->Run(RmsNorm{x.view(), weight.view(), 1e-5f, want.view()});
    for (std::int64_t r = 0; r < 3; ++r) {
      double square = 0.0;
      for (std::int64_t i = 0; i < n; ++i)
        square += static_cast<double>(x.row(r)[i]) * static_cast<double>(x.row(r)[i]);
      const double scale =
          1.0 / std::sqrt(square / static_cast<double>(n) + static_cast<double>(1e-5f));
      for (std::int64_t i = 0; i < n; ++i) {
        const double y =
            static_cast<double>(x.row(r)[i]) * scale * static_cast<double>(weight.row(0)[i]);
        // Half the relative error of the sum, then root, quotient and products.
        const double steps = (static_cast<double>(n) / 16 + 6) / 2 + 5;
        ASSERT_NEAR(static_cast<double>(want.row(r)[i]), y, steps * 0x1p-24 * std::fabs(y));
      }
    }
    for (const std::string& level : Levels()) {
      const auto ops = OpsAt(level, Profile::kFast, 2);
      Rows y(3, n, 4, n % 5, 2);
      ops->Run(RmsNorm{x.view(), weight.view(), 1e-5f, y.view()});
      ASSERT_EQ(FirstDifference(y.Values(), want.Values()), -1) << level << " n " << n;
      Rows in_place = x.Copy();
      ops->Run(RmsNorm{in_place.view(), weight.view(), 1e-5f, in_place.view()});
      ASSERT_EQ(FirstDifference(in_place.Values(), want.Values()), -1) << level << " n " << n;
    }
  }
}

// Gate values over the whole range, edges included.
Rows Gates(std::int64_t rows, std::int64_t n) {
  Rows gate(rows, n, 5, n % 4, 1);
  const float inf = std::numeric_limits<float>::infinity();
  const float edges[] = {0.0f,   -0.0f,   1e-40f, 88.7f, 88.8f, -87.2f,
                         -87.4f, -100.0f, 300.0f, inf,   -inf,  std::nanf("")};
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t i = 0; i < n; ++i) {
      gate.row(r)[i] *= 12.0f;
      if ((i + r) % 3 == 0) gate.row(r)[i] = edges[static_cast<std::size_t>((i / 3 + r) % 12)];
    }
  return gate;
}

TEST(SiluMul, DefinitionAtEveryLevel) {
  for (const std::int64_t n : kTails) {
    const Rows gate = Gates(3, n), up(3, n, 6, 1);
    std::vector<float> want;
    for (std::int64_t r = 0; r < 3; ++r)
      for (std::int64_t i = 0; i < n; ++i) want.push_back(Silu(gate.row(r)[i]) * up.row(r)[i]);
    for (const std::string& level : Levels()) {
      Rows y(3, n, 7, 3);
      OpsAt(level, Profile::kFast)->Run(SiluMul{gate.view(), up.view(), y.view()});
      ASSERT_EQ(FirstDifference(y.Values(), want), -1) << level << " n " << n;
    }
  }
}

TEST(SiluMul, LimitAndRowWeightsAtEveryLevel) {
  const float limit = 1.5f, weights[] = {0.25f, -3.0f, 1.1f};
  for (const std::int64_t n : kTails) {
    const Rows gate = Gates(3, n);
    Rows up = Gates(3, n);
    std::vector<float> want;
    for (std::int64_t r = 0; r < 3; ++r)
      for (std::int64_t i = 0; i < n; ++i) {
        float& u = up.row(r)[i];
        u = -u;  // so that infinities of both signs meet all gates
        const float g = gate.row(r)[i] > limit ? limit : gate.row(r)[i];
        const float clamped = u > limit ? limit : u < -limit ? -limit : u;
        want.push_back(Silu(g) * clamped * weights[r]);
        const bool nan = std::isnan(gate.row(r)[i]) || std::isnan(u);
        ASSERT_TRUE(!nan || std::isnan(want.back()));
      }
    for (const std::string& level : Levels()) {
      Rows y = gate.Copy();
      OpsAt(level, Profile::kFast)->Run(SiluMul{y.view(), up.view(), y.view(), limit, weights});
      ASSERT_EQ(FirstDifference(y.Values(), want), -1) << level << " n " << n;
    }
  }
}

TEST(SiluMul, LimitAgainstGoldens) {
  HADAL_NEEDS_SHARED(shared);
  const GoldenTensors goldens(shared + "/golden/units/blocks.safetensors");
  const std::vector<float> gate = goldens["swiglu.gate"].Floats();
  const std::vector<float> up = goldens["swiglu.up"].Floats();
  const std::vector<float> weights = goldens["swiglu.weight"].Floats();
  const std::vector<float> want = goldens["swiglu.out"].Floats();
  const auto rows = static_cast<std::int64_t>(weights.size());
  const std::int64_t n = goldens["swiglu.gate"].columns();
  Rows y(rows, n, 1);
  OpsAt("", Profile::kFloat)
      ->Run(SiluMul{HostView(gate.data(), DType::kF32, {rows, n}),
                    HostView(up.data(), DType::kF32, {rows, n}), y.view(),
                    goldens["swiglu.limit"].F32(0), weights});
  // 4 units of silu and two products on each side.
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(y.Values()[i], want[i], 10 * 0x1p-23f * std::fabs(want[i])) << i;
}

TEST(RmsNorm, HeadsWithoutWeight) {
  for (const std::string& level : Levels()) {
    const auto ops = OpsAt(level, Profile::kFloat, 2);
    const Rows x(5, 4 * 24, 21, 1);
    Rows ones(1, 24, 22), want(20, 24, 23), y(5, 4 * 24, 24);
    std::fill_n(ones.row(0), 24, 1.0f);
    ops->Run(RmsNorm{x.view().Split(4), ones.view(), 1e-6f, want.view()});
    ops->Run(RmsNorm{x.view().Split(4), {}, 1e-6f, y.view().Split(4)});
    EXPECT_EQ(FirstDifference(y.Values(), want.Values()), -1) << level;
  }
}

TEST(LayerNorm, NearDoubleAndSameAtEveryLevel) {
  constexpr double kUnit = 0x1p-24;
  for (const std::int64_t n : kTails) {
    Rows x(3, n, 25, n % 4, 1);
    const Rows weight(1, n, 26, n % 3), bias(1, n, 27, 1);
    for (std::int64_t i = 0; i < n; ++i) x.row(2)[i] += 10.0f;  // a mean that cancels
    Rows want(3, n, 28);
    OpsAt("ref", Profile::kFloat)
        ->Run(LayerNorm{x.view(), weight.view(), bias.view(), 1e-6f, want.view()});
    const double count = static_cast<double>(n), steps = std::ceil(count / 16) + 4;
    for (std::int64_t r = 0; r < 3; ++r) {
      double mean = 0, size = 0, variance = 0, variance_error = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        mean += static_cast<double>(x.row(r)[i]) / count;
        size += std::fabs(static_cast<double>(x.row(r)[i])) / count;
      }
      const double mean_error = (steps + 2) * kUnit * size;  // additions and the quotient
      const auto error_of = [&](double d) { return mean_error + 2 * kUnit * std::fabs(d); };
      for (std::int64_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(x.row(r)[i]) - mean, e = error_of(d);
        variance += d * d / count;
        variance_error += (2 * std::fabs(d) * e + e * e) / count;
      }
      const double inside = variance + static_cast<double>(1e-6f);
      // Sum and quotient, the sum with epsilon; the root halves; root and quotient.
      const double relative =
          (variance_error + (steps + 3) * kUnit * inside) / inside / 2 + 3 * kUnit;
      for (std::int64_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(x.row(r)[i]) - mean, w = weight.row(0)[i];
        const double product = d / std::sqrt(inside) * w, y = product + bias.row(0)[i];
        const double bound = std::fabs(w) / std::sqrt(inside) * error_of(d) * (1 + relative) +
                             std::fabs(product) * (relative + 3 * kUnit) + 2 * kUnit * std::fabs(y);
        ASSERT_NEAR(static_cast<double>(want.row(r)[i]), y, bound) << n << " " << r << " " << i;
      }
    }
    for (const std::string& level : Levels()) {
      const auto ops = OpsAt(level, Profile::kFast, 2);
      Rows y = x.Copy();
      ops->Run(LayerNorm{y.view(), weight.view(), bias.view(), 1e-6f, y.view()});
      ASSERT_EQ(FirstDifference(y.Values(), want.Values()), -1) << level << " n " << n;
    }
  }
}

TEST(AddRows, AtEveryLevel) {
  for (const std::int64_t n : kTails)
    for (const std::string& level : Levels()) {
      const auto ops = OpsAt(level, Profile::kFast, 3);
      const Rows x(40, n, 8, 1, 2), before(40, n, 9, 2, 1);
      Rows y = before.Copy();
      ops->Run(AddRows{x.view(), y.view()});
      for (std::int64_t r = 0; r < 40; ++r)
        for (std::int64_t i = 0; i < n; ++i)
          ASSERT_EQ(y.row(r)[i], before.row(r)[i] + x.row(r)[i]) << level;
      ops->Zero(y.view());
      ASSERT_EQ(FirstDifference(y.Values(), std::vector<float>(static_cast<std::size_t>(40 * n))),
                -1);
    }
}

TEST(TakeAndAddScaledRows, AtEveryLevel) {
  for (const std::int64_t n : kTails)
    for (const std::string& level : Levels()) {
      const auto ops = OpsAt(level, Profile::kFast, 2);
      const Rows x(9, n, 10, 1, 2);
      const std::int32_t ids[] = {7, 0, 3};
      const float weights[] = {0.25f, -3.0f, 0.3f};
      Rows taken(3, n, 11);
      ops->TakeRows(x.view(), ids, taken.view());
      const Rows before(9, n, 12, 3);
      Rows y = before.Copy();
      ops->AddScaledRows(taken.view(), ids, weights, y.view());
      for (std::size_t i = 0; i < 3; ++i)
        for (std::int64_t c = 0; c < n; ++c) {
          ASSERT_EQ(taken.row(static_cast<std::int64_t>(i))[c], x.row(ids[i])[c]);
          ASSERT_EQ(y.row(ids[i])[c],
                    std::fma(weights[i], x.row(ids[i])[c], before.row(ids[i])[c]));
        }
      EXPECT_EQ(y.row(1)[0], before.row(1)[0]);
    }
}

TEST(GatherRows, EveryFormatAtEveryLevel) {
  const std::int32_t ids[] = {4, 0, 18, 4};
  for (const WeightFormatInfo& info : AllWeightFormats())
    for (const std::int64_t blocks : {1, 3}) {
      const std::int64_t columns =
          info.block_values == 1 ? blocks * 67 : blocks * info.block_values;
      const auto matrix = MakeMatrix(
          {.format = info.format, .rows = 19, .columns = columns, .block = 8, .skew = 1}, 13);
      const std::vector<float> all = Decoded(matrix->linear);
      std::vector<float> want;
      for (const std::int32_t id : ids)
        want.insert(want.end(), all.begin() + id * columns, all.begin() + (id + 1) * columns);
      for (const std::string& level : Levels()) {
        Rows y(4, columns, 14, 1, 3);
        OpsAt(level, Profile::kFast)->Run(GatherRows{&matrix->linear, ids, y.view()});
        ASSERT_EQ(FirstDifference(y.Values(), want), -1) << level << " " << info.name;
      }
    }
}

TEST(GatherRows, ScalesOfEachRow) {
  const std::int32_t ids[] = {18, 3, 4};
  const auto table = MakeMatrix({.format = WeightFormat::kFp8Block,
                                 .rows = 19,
                                 .columns = 80,
                                 .block = 32,
                                 .block_rows = 1,
                                 .e8m0 = true},
                                29);
  const std::vector<float> all = Decoded(table->linear);
  for (const std::string& level : Levels()) {
    Rows y(3, 80, 30);
    OpsAt(level, Profile::kFast)->Run(GatherRows{&table->linear, ids, y.view()});
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t c = 0; c < 80; ++c)
        ASSERT_EQ(y.row(i)[c], all[static_cast<std::size_t>(ids[i] * 80 + c)]) << level;
  }
}

// A table beyond 2^32 bytes, as published Engram tables are: a file with holes.
TEST(GatherRows, ReadsOnlyTheRowsOfAHugeMappedTable) {
  constexpr std::int64_t kRows = 384'006'168, kColumns = 256;
  const std::string path = ::testing::TempDir() + "/hadal_huge_table";
  const std::int32_t ids[] = {0, 200'000'000, static_cast<std::int32_t>(kRows - 1)};
  {
    std::ofstream file(path, std::ios::binary);
    for (const std::int32_t id : ids)
      for (std::int64_t c = 0; c < kColumns; ++c) {
        file.seekp(id * kColumns + c);
        file.put(static_cast<char>(0x30 + (id + c) % 8));  // e4m3 of 0.5 to 0.9375
      }
    ASSERT_TRUE(file.good());
  }
  const auto mapped = MappedFile::Open(path).value();
  std::filesystem::remove(path);
  ASSERT_EQ(std::ssize(mapped->bytes()), kRows * kColumns);
  const std::byte scale[] = {std::byte{128}};  // 2: one for all, since the stride is 0
  Linear table;
  table.format = WeightFormat::kFp8Block;
  table.data = HostView(mapped->bytes().data(), DType::kF8E4M3, {kRows, kColumns});
  table.scale = HostView(scale, DType::kF8E8M0, {kRows, 1});
  table.scale.strides[0] = 0;
  table.block = 256;
  table.block_rows = 1;
  table.stored_rows = kRows;
  table.stored_columns = kColumns;
  Rows y(3, kColumns, 31);
  OpsAt("", Profile::kFast)->Run(GatherRows{&table, ids, y.view()});
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t c = 0; c < kColumns; ++c)
      ASSERT_EQ(y.row(i)[c], 1.0f + static_cast<float>((ids[i] + c) % 8) * 0.125f) << i;
}

TEST(Rope, AnglesAgainstGoldens) {
  HADAL_NEEDS_SHARED(shared);
  const GoldenTensors goldens(shared + "/golden/units/rope.safetensors");
  const GoldenTensor& stored = goldens["positions"];
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < stored.columns(); ++i) positions.push_back(stored.I64(i));
  const auto count = static_cast<std::int64_t>(positions.size());
  for (const std::string name :
       {"plain_1e4", "v2", "v3", "k2_instruct", "k2_0905", "v4_compressed", "v41_compressed"}) {
    const std::vector<float> frequencies = goldens[name + ".inv_freq"].Floats();
    Rows cos(count, 32, 1), sin(count, 32, 1);
    OpsAt("", Profile::kFast, 2)
        ->Run(RopeAngles{positions, frequencies, 1.0f, cos.view(), sin.view()});
    const std::vector<float> want_cos = goldens[name + ".cos"].Floats();
    const std::vector<float> want_sin = goldens[name + ".sin"].Floats();
    for (std::size_t i = 0; i < want_cos.size(); ++i) {
      // Both are f32 functions of the same f32 angle.
      ASSERT_NEAR(cos.Values()[i], want_cos[i], 0x1p-23f) << name << " " << i;
      ASSERT_NEAR(sin.Values()[i], want_sin[i], 0x1p-23f) << name << " " << i;
    }
  }
}

TEST(Rope, RotationAgainstGoldens) {
  HADAL_NEEDS_SHARED(shared);
  const GoldenTensors goldens(shared + "/golden/units/rope.safetensors");
  const GoldenTensor& x = goldens["rotate.x"];
  for (const std::string& level : Levels())
    for (const std::string form :
         {"rotate.half_last64", "rotate.interleaved_last64", "rotate.interleaved_last64_inverse"}) {
      const std::vector<float> want = goldens[form].Floats();
      // The table that the goldens were made with.
      const std::vector<float> cos = goldens["v4_compressed.cos"].Floats();
      const std::vector<float> sin = goldens["v4_compressed.sin"].Floats();
      std::vector<float> y = x.Floats();
      Rope call;
      call.x = {HostView(y.data(), DType::kF32, {x.rows(), 96}), 96, 32};
      call.y = call.x;
      call.width = 64;
      call.layout = form == "rotate.half_last64" ? RopeLayout::kHalf : RopeLayout::kInterleaved;
      call.inverse = form == "rotate.interleaved_last64_inverse";
      call.cos = HostView(cos.data(), DType::kF32, {x.rows(), 32});
      call.sin = HostView(sin.data(), DType::kF32, {x.rows(), 32});
      OpsAt(level, Profile::kFast)->Run(call);
      for (std::size_t i = 0; i < want.size(); ++i)
        ASSERT_NEAR(y[i], want[i], 1e-6f) << level << " " << form << " " << i;
    }
}

TEST(Rope, LevelsAgreeInPlaceAndNot) {
  for (const std::int64_t half : {1, 4, 7, 8, 9, 15, 16, 17, 32, 33})
    for (const RopeLayout layout : {RopeLayout::kInterleaved, RopeLayout::kHalf})
      for (const std::string& level : Levels()) {
        const std::int64_t stride = 2 * half + 3;
        const Rows x(5, 3 * stride, 15, 1, 2), cos(5, half, 16, 2), sin(5, half, 17, 3);
        Rows want(5, 3 * stride, 18), y(5, 3 * stride, 18, 3), in_place = x.Copy();
        Rope call{.x = {x.view(), stride, 2},
                  .y = {want.view(), stride, 1},
                  .heads = 3,
                  .width = 2 * half,
                  .layout = layout,
                  .cos = cos.view(),
                  .sin = sin.view()};
        OpsAt("ref", Profile::kFast)->Run(call);
        const auto ops = OpsAt(level, Profile::kFast, 2);
        call.y.rows = y.view();
        ops->Run(call);
        ASSERT_EQ(FirstDifference(y.Values(), want.Values()), -1) << level << " half " << half;
        call.x.rows = in_place.view();
        call.y = call.x;
        ops->Run(call);
        for (std::int64_t r = 0; r < 5; ++r)
          for (std::int64_t h = 0; h < 3; ++h)
            for (std::int64_t i = 0; i < 2 * half; ++i)
              ASSERT_EQ(in_place.row(r)[h * stride + 2 + i], want.row(r)[h * stride + 1 + i]);
        // Back is forward by the negative sines.
        Rows minus = sin.Copy(), back = x.Copy();
        for (std::int64_t r = 0; r < 5; ++r)
          for (std::int64_t i = 0; i < half; ++i) minus.row(r)[i] = -sin.row(r)[i];
        call.inverse = true;
        call.x.rows = call.y.rows = back.view();
        ops->Run(call);
        call.inverse = false;
        call.sin = minus.view();
        in_place = x.Copy();
        call.x.rows = call.y.rows = in_place.view();
        ops->Run(call);
        ASSERT_EQ(FirstDifference(back.Values(), in_place.Values()), -1) << level;
      }
}

TEST(Hadamard, DefinitionAtEveryLevelInPlaceAndNot) {
  for (const std::int64_t width : {1, 2, 4, 8, 16, 32, 64, 128, 512})
    for (const std::string& level : Levels()) {
      const Rows x(5, 3 * width, 21, 1, 2);
      Rows y(5, 3 * width, 1, 3, 1), in_place = x.Copy(), want = x.Copy();
      for (std::int64_t r = 0; r < 5; ++r)
        for (std::int64_t h = 0; h < 3; ++h) HadamardRow(want.row(r) + h * width, width);
      const auto ops = OpsAt(level, Profile::kFast, 2);
      ops->Run(Hadamard{x.view(), 3, width, y.view()});
      ops->Run(Hadamard{in_place.view(), 3, width, in_place.view()});
      ASSERT_EQ(FirstDifference(y.Values(), want.Values()), -1) << level << " width " << width;
      ASSERT_EQ(FirstDifference(in_place.Values(), want.Values()), -1) << level;
    }
}

TEST(StoreRows, EncodesAndRoundsToForms) {
  for (const std::string& level : Levels())
    for (const CacheForm form : {CacheForm::kFp8Rope, CacheForm::kFp4Entry, CacheForm::kInt8Index})
      for (const std::int64_t width : {40, 512}) {
        const CacheRowShape shape{form, width, form == CacheForm::kFp8Rope ? 8 : 0};
        const std::int64_t bytes = LayoutOf(shape).bytes;
        std::vector<std::byte> packed(static_cast<std::size_t>(3 * (bytes + 5)));
        std::vector<std::uint16_t> rounded(static_cast<std::size_t>(3 * width));
        const std::uint64_t packed_page = reinterpret_cast<std::uint64_t>(packed.data());
        const std::uint64_t rounded_page = reinterpret_cast<std::uint64_t>(rounded.data());
        const Rows x(3, width, 22, 1, 2);
        PagedRows part;
        part.first_page = 7;
        part.page_rows = 3;
        part.form = form;
        part.plain_columns = shape.plain_columns;
        part.width = width;
        part.row_bytes = static_cast<std::uint64_t>(bytes + 5);
        part.dtype = DType::kU8;
        part.pages = {&packed_page, 1};
        const auto ops = OpsAt(level, Profile::kFast, 2);
        ops->Run(StoreRows{x.view(), part, 21});
        part.dtype = DType::kBF16;
        part.pages = {&rounded_page, 1};
        ops->Run(StoreRows{x.view(), part, 21});
        for (std::int64_t r = 0; r < 3; ++r) {
          std::vector<std::byte> want(static_cast<std::size_t>(bytes));
          std::vector<float> values(static_cast<std::size_t>(width));
          EncodeRow(shape, x.row(r), want.data());
          DecodeRow(shape, want.data(), values.data());
          ASSERT_TRUE(std::equal(want.begin(), want.end(), packed.begin() + r * (bytes + 5)));
          for (std::int64_t i = 0; i < width; ++i)
            ASSERT_EQ(rounded[static_cast<std::size_t>(r * width + i)],
                      F32ToBf16(values[static_cast<std::size_t>(i)]))
                << level << " form " << static_cast<int>(form);
        }
      }
}

TEST(StoreRows, RoundsToTheCacheAndCrossesPages) {
  for (const std::string& level : Levels())
    for (const std::int64_t width : kTails) {
      const auto ops = OpsAt(level, Profile::kFast, 2);
      const auto page_bytes = static_cast<std::uint64_t>(kPageTokens * width * 2);
      std::vector<std::byte> memory(2 * page_bytes);
      const auto address = reinterpret_cast<std::uint64_t>(memory.data());
      const std::uint64_t pages[] = {address + page_bytes, address};
      PagedRows part;
      part.pages = pages;
      part.dtype = DType::kBF16;
      part.width = width;
      Rows x(5, width, 19, 1, 2);
      x.row(0)[0] = std::numeric_limits<float>::infinity();
      x.row(1)[0] = std::nanf("");
      x.row(2)[0] = std::numeric_limits<float>::max();
      ops->Run(StoreRows{x.view(), part, 62});
      for (std::int64_t r = 0; r < 5; ++r)
        for (std::int64_t i = 0; i < width; ++i) {
          const std::int64_t t = 62 + r;
          const auto* at =
              reinterpret_cast<const std::byte*>(pages[t / 64]) + ((t % 64) * width + i) * 2;
          ASSERT_EQ(LoadUnaligned<std::uint16_t>(at), F32ToBf16(x.row(r)[i])) << level;
        }
    }
}

}  // namespace
}  // namespace hadal
