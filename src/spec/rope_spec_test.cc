#include "spec/rope_spec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "base/bytes.h"
#include "base/file.h"
#include "spec/spec_test_data.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

int UlpDistance(float a, float b) {
  return std::abs(std::bit_cast<std::int32_t>(a) - std::bit_cast<std::int32_t>(b));
}

// The F32 tensor `name` of a safetensors file.
std::vector<float> Stored(const std::string& bytes, const std::string& name) {
  const auto length = LoadUnaligned<std::uint64_t>(bytes.data());
  const auto header = ParseJson(std::string_view(bytes).substr(8, length), "rope");
  const auto offsets = header->root().Find(name)->Find("data_offsets")->items();
  const auto begin = *offsets[0].unsigned_integer(), end = *offsets[1].unsigned_integer();
  std::vector<float> values((end - begin) / sizeof(float));
  std::memcpy(values.data(), bytes.data() + 8 + length + begin, end - begin);
  return values;
}

RopeSpec FromGolden(const Metadata& row) {
  RopeSpec rope;
  rope.theta = *row.Find("base")->real();
  rope.width = *row.Find("dim")->integer();
  if (row.Find("factor") != nullptr) {
    rope.scaling = RopeScaling::kYarn;
    rope.factor = *row.Find("factor")->real();
    rope.original_context = *row.Find("original_max_position_embeddings")->real();
    rope.beta_fast = *row.Find("beta_fast")->real();
    rope.beta_slow = *row.Find("beta_slow")->real();
  }
  if (row.Find("mscale_all_dim") != nullptr) {
    rope.mscale = *row.Find("mscale")->real();
    rope.mscale_all_dim = *row.Find("mscale_all_dim")->real();
  }
  return rope;
}

TEST(RopeSpec, FrequenciesAndScalesOfTheGoldens) {
  HADAL_NEEDS_SHARED(shared);
  const auto rows = ParseJson(*ReadFile(shared + "/golden/units/rope.json"), "rope.json");
  const std::string bytes = *ReadFile(shared + "/golden/units/rope.safetensors");
  ASSERT_FALSE(rows->root().members().empty());
  for (const Metadata::Member& row : rows->root().members()) {
    SCOPED_TRACE(row.key);
    RopeSpec rope = FromGolden(row.value);
    Derive(&rope, true);
    const std::vector<float> expected = Stored(bytes, std::string(row.key) + ".inv_freq");
    ASSERT_EQ(rope.frequencies.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_LE(UlpDistance(rope.frequencies[i], expected[i]), 1) << i;
    const Metadata* scale = row.value.Find("softmax_scale_192");
    if (scale == nullptr) continue;
    EXPECT_EQ(rope.magnitude, 1.0f);
    EXPECT_NEAR(rope.softmax_factor / std::sqrt(192.0), *scale->real(), 1e-15);
  }
}

// A direct evaluation of the formulas in double, far from their edges.
TEST(RopeSpec, Llama3Bands) {
  RopeSpec rope;
  rope.theta = 5e5;
  rope.width = 128;
  rope.scaling = RopeScaling::kLlama3;
  rope.factor = 8.0;
  rope.low_frequency_factor = 1.0;
  rope.high_frequency_factor = 4.0;
  rope.original_context = 8192.0;
  Derive(&rope, false);
  int kept = 0, divided = 0, between = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    const double plain = std::pow(5e5, -static_cast<double>(2 * i) / 128.0);
    const double wavelength = 2.0 * 3.14159265358979323846 / plain;
    double expected = plain;
    if (wavelength > 8192.0) {
      expected = plain / 8.0;
      ++divided;
    } else if (wavelength > 2048.0) {
      const double t = (8192.0 / wavelength - 1.0) / 3.0;
      expected = (1.0 - t) * plain / 8.0 + t * plain;
      ++between;
    } else {
      ++kept;
    }
    EXPECT_NEAR(rope.frequencies[i] / expected, 1.0, 1e-6) << i;
  }
  EXPECT_TRUE(kept > 0 && divided > 0 && between > 0);
  EXPECT_EQ(rope.magnitude, 1.0f);
  EXPECT_EQ(rope.softmax_factor, 1.0);
}

RopeSpec RopeWith(std::string_view published, std::string_view scaling) {
  return SpecOf(WithField(PublishedConfig(published), "rope_scaling", scaling)).ropes[0];
}

// transformers takes mscale and mscale_all_dim together or not at all; DeepSeek's modules take
// each.
TEST(RopeSpec, MscaleAloneByFamily) {
  constexpr char kMscaleOnly[] =
      R"({"type":"yarn","factor":4.0,"original_max_position_embeddings":4096,"mscale":0.5})";
  const float whole = static_cast<float>(0.1 * std::log(4.0) + 1.0);
  const float half = static_cast<float>(0.05 * std::log(4.0) + 1.0);
  EXPECT_FLOAT_EQ(RopeWith("llama-8b", kMscaleOnly).magnitude, whole);
  EXPECT_FLOAT_EQ(RopeWith("v3", kMscaleOnly).magnitude, half);
  constexpr char kBoth[] = R"({"type":"yarn","factor":4.0,"original_max_position_embeddings":4096,
      "mscale":0.5,"mscale_all_dim":1.0})";
  EXPECT_FLOAT_EQ(RopeWith("llama-8b", kBoth).magnitude, half / whole);
  EXPECT_FLOAT_EQ(RopeWith("v3", kBoth).magnitude, half / whole);
  EXPECT_NEAR(RopeWith("v3", kBoth).softmax_factor, std::pow(0.1 * std::log(4.0) + 1.0, 2), 1e-12);
}

// "truncate": false leaves the ends of YaRN's ramp between the components.
TEST(RopeSpec, YarnRampBetweenComponents) {
  const RopeSpec rope = RopeWith("llama-8b", R"({"rope_type":"yarn","factor":4.0,"truncate":false,
      "original_max_position_embeddings":4096})");
  const auto component = [](double rotations) {
    return 128.0 * std::log(4096.0 / (rotations * 2.0 * 3.14159265358979323846)) /
           (2.0 * std::log(5e5));
  };
  const double low = component(32.0), high = component(1.0);
  ASSERT_NE(low, std::floor(low));
  for (std::size_t i = 0; i < 64; ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    const double plain = std::pow(5e5, -static_cast<double>(i) / 64.0);
    EXPECT_NEAR(rope.frequencies[i] / (plain * (1.0 - 0.75 * ramp)), 1.0, 1e-5) << i;
  }
}

TEST(RopeSpec, FactorsBelowOne) {
  const RopeSpec linear = RopeWith("llama-8b", R"({"type":"linear","factor":0.5})");
  EXPECT_FLOAT_EQ(linear.frequencies[0], 2.0f);
  const RopeSpec yarn = RopeWith("v3", R"({"type":"yarn","factor":0.5,"mscale_all_dim":1.0,
      "original_max_position_embeddings":4096})");
  EXPECT_EQ(yarn.magnitude, 1.0f);
  EXPECT_EQ(yarn.softmax_factor, 1.0);
  EXPECT_FLOAT_EQ(yarn.frequencies[31], 2.0f * static_cast<float>(std::pow(1e4, -31.0 / 32.0)));
}

TEST(RopeSpec, LinearAndDivisors) {
  RopeSpec plain, linear;
  plain.width = linear.width = 16;
  linear.scaling = RopeScaling::kLinear;
  linear.factor = 4.0;
  Derive(&plain, false);
  Derive(&linear, false);
  for (const float bad : {0.0f, -1.0f, NAN, INFINITY}) {
    std::vector<float> divisors(8, 4.0f);
    divisors[7] = bad;
    EXPECT_FALSE(DivideFrequencies(&plain, divisors).ok()) << bad;
  }
  EXPECT_TRUE(DivideFrequencies(&plain, std::vector<float>(8, 4.0f)).ok());
  EXPECT_EQ(plain.frequencies, linear.frequencies);
}

// YaRN outside latent attention: the magnitude goes on cos and sin, as transformers and llama.cpp
// have it.
TEST(RopeSpec, YarnMagnitudeOfGroupedAttention) {
  const ModelSpec spec = SpecOf(
      WithField(PublishedConfig("qwen-7b"), "rope_scaling",
                R"({"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32768})"));
  EXPECT_FLOAT_EQ(spec.ropes[0].magnitude, 1.0f + 0.1f * std::log(4.0f));
  EXPECT_EQ(spec.ropes[0].softmax_factor, 1.0);
  EXPECT_FLOAT_EQ(spec.attention.softmax_scale, 0.088388346f);  // 128^-0.5
}

}  // namespace
}  // namespace hadal
