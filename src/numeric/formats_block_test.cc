// Rows of blocks: decoding against gguf-py, and encoding against what each format can hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

// 64 blocks of bytes from a linear congruential generator; the upper byte of each f16 scale loses
// the exponent bit that could make it infinite or NaN.
std::vector<std::byte> GgufBytes(int block_bytes, std::initializer_list<int> scale_offsets) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(64 * block_bytes));
  std::uint64_t state = 20240914;
  for (std::byte& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::byte>(state >> 56);
  }
  for (int block = 0; block < 64; ++block)
    for (const int offset : scale_offsets)
      bytes[static_cast<std::size_t>(block * block_bytes + offset + 1)] &= std::byte{0xBB};
  return bytes;
}

std::uint64_t Fnv1a(const std::vector<float>& values) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const float value : values) {
    auto bits = std::bit_cast<std::uint32_t>(value);
    for (int i = 0; i < 4; ++i, bits >>= 8) hash = (hash ^ (bits & 0xFF)) * 0x100000001b3u;
  }
  return hash;
}

struct GgufCase {
  WeightFormat format;
  DType dtype;
  std::initializer_list<int> scale_offsets;
  std::uint64_t hash;  // of the bits of what gguf-py 0.19.0 makes of the same bytes
  float sample;        // its value 5 of block 3
};

TEST(DecodeRow, EqualsGgufPyBitForBit) {
  const GgufCase cases[] = {
      {WeightFormat::kQ8_0, DType::kQ8_0, {0}, 0x229381476d84ba4bu, 1.0896606f},
      {WeightFormat::kQ4_0, DType::kQ4_0, {0}, 0x8b4371b5a4239645u, 0.00032043457f},
      {WeightFormat::kQ4_1, DType::kQ4_1, {0, 2}, 0x53f4601f749fbdc7u, -10.460736f},
      {WeightFormat::kQ5_0, DType::kQ5_0, {0}, 0x6ac44ae41a8cc46eu, -0.009483337f},
      {WeightFormat::kQ5_1, DType::kQ5_1, {0, 2}, 0x10df699dab59eea0u, -0.0068769455f},
      {WeightFormat::kQ4_K, DType::kQ4_K, {0, 2}, 0x2ee74f9b04e63760u, -0.018138885f},
      {WeightFormat::kQ5_K, DType::kQ5_K, {0, 2}, 0x55ed46a262b0deb8u, 952.6302f},
      {WeightFormat::kQ6_K, DType::kQ6_K, {208}, 0x64035c3ff27e0dfdu, -1.7378869f},
      {WeightFormat::kGgufMxfp4, DType::kMXFP4, {}, 0x9f1ed37109561651u, 2.1474836e+09f},
  };
  for (const GgufCase& c : cases) {
    SCOPED_TRACE(std::string(Name(c.dtype)));
    const DTypeInfo& info = Info(c.dtype);
    const std::vector<std::byte> bytes = GgufBytes(info.block_bytes, c.scale_offsets);
    std::vector<float> values(static_cast<std::size_t>(64 * info.block_values));
    const EncodedRow row{.format = c.format, .codes = bytes.data()};
    DecodeRow(row, 0, static_cast<std::int64_t>(values.size()), values.data());
    EXPECT_EQ(values[static_cast<std::size_t>(3 * info.block_values + 5)], c.sample);
    EXPECT_EQ(Fnv1a(values), c.hash);

    // A part of a row is the same values.
    std::vector<float> part(static_cast<std::size_t>(2 * info.block_values));
    DecodeRow(row, 5 * info.block_values, 2 * info.block_values, part.data());
    EXPECT_EQ(0, std::memcmp(part.data(), values.data() + 5 * info.block_values,
                             part.size() * sizeof(float)));
  }
}

std::vector<float> NormalRow(std::size_t columns, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(columns);
  for (float& value : values) value = 0.02f * random.Normal();
  return values;
}

// Largest error of a round trip in units of the largest magnitude of each block of `block`.
double WorstRelative(const std::vector<float>& want, const std::vector<float>& got,
                     std::size_t block) {
  double worst = 0.0;
  for (std::size_t first = 0; first < want.size(); first += block) {
    float largest = 0.0f, error = 0.0f;
    for (std::size_t i = first; i < first + block; ++i) {
      largest = std::max(largest, std::fabs(want[i]));
      error = std::max(error, std::fabs(want[i] - got[i]));
    }
    worst = std::max(worst, static_cast<double>(error / largest));
  }
  return worst;
}

TEST(EncodeRow, LosesAtMostHalfAStep) {
  struct Case {
    DType dtype;
    WeightFormat format;
    double bound;  // half a step, plus the rounding of an f16 scale, over the largest magnitude
  };
  const Case cases[] = {
      {DType::kF32, WeightFormat::kF32, 0.0},
      {DType::kF16, WeightFormat::kF16, 0x1p-11},
      {DType::kBF16, WeightFormat::kBF16, 0x1p-8},
      {DType::kQ8_0, WeightFormat::kQ8_0, 0.5 / 127 + 0x1p-11},
      {DType::kQ4_0, WeightFormat::kQ4_0, 1.0 / 8 + 0x1p-11},  // one side reaches 7 steps only
      // The scale is at most twice what 6 steps need, and steps between 4 and 6 are 2 wide.
      {DType::kMXFP4, WeightFormat::kGgufMxfp4, 1.0 / 4},
  };
  const std::vector<float> values = NormalRow(1024, 7);
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(Name(c.dtype)));
    std::vector<std::byte> bytes(*RowBytes(c.dtype, values.size()));
    ASSERT_TRUE(EncodeRow(c.dtype, values.data(), 1024, bytes.data()));
    std::vector<float> back(values.size());
    DecodeRow({.format = c.format, .codes = bytes.data()}, 0, 1024, back.data());
    EXPECT_LE(WorstRelative(values, back, 32), c.bound);

    // What a format holds, it keeps: encoding its own values again loses nothing. (Q4_0 may not
    // find its scale again where no value sits at -8 steps; ggml's rule is the format's.)
    if (c.dtype == DType::kQ4_0) continue;
    std::vector<float> again(values.size());
    ASSERT_TRUE(EncodeRow(c.dtype, back.data(), 1024, bytes.data()));
    DecodeRow({.format = c.format, .codes = bytes.data()}, 0, 1024, again.data());
    EXPECT_LE(WorstRelative(back, again, 32), c.dtype == DType::kQ8_0 ? 0x1p-10 : 0.0);
  }
  std::byte unused[64];
  EXPECT_FALSE(EncodeRow(DType::kQ6_K, values.data(), 256, unused));
}

TEST(EncodeRow, TakesExtremesAndNans) {
  std::vector<float> values(64, 0.0f);
  values[3] = std::numeric_limits<float>::infinity();
  values[40] = std::numeric_limits<float>::quiet_NaN();
  for (const DType dtype : {DType::kQ8_0, DType::kQ4_0, DType::kMXFP4}) {
    std::vector<std::byte> bytes(*RowBytes(dtype, 64));
    EXPECT_TRUE(EncodeRow(dtype, values.data(), 64, bytes.data()));
  }
  values.assign(64, 0.0f);
  for (const auto& [dtype, format] : {std::pair{DType::kQ8_0, WeightFormat::kQ8_0},
                                      {DType::kQ4_0, WeightFormat::kQ4_0},
                                      {DType::kMXFP4, WeightFormat::kGgufMxfp4}}) {
    std::vector<std::byte> bytes(*RowBytes(dtype, 64));
    ASSERT_TRUE(EncodeRow(dtype, values.data(), 64, bytes.data()));
    std::vector<float> back(64, 1.0f);
    DecodeRow({.format = format, .codes = bytes.data()}, 0, 64, back.data());
    for (const float value : back) EXPECT_EQ(value, 0.0f);
  }
}

TEST(EncodeSplit, Mxfp4KeepsWhatItHolds) {
  const std::vector<float> values = NormalRow(256, 8);
  std::vector<std::byte> codes(128), scales(8);
  EncodeMxfp4Row(values.data(), 256, codes.data(), scales.data());
  std::vector<float> back(256), again(256);
  const EncodedRow row{
      .format = WeightFormat::kMxfp4, .codes = codes.data(), .scales = scales.data()};
  DecodeRow(row, 0, 256, back.data());
  EXPECT_LE(WorstRelative(values, back, 32), 0.25);
  EncodeMxfp4Row(back.data(), 256, codes.data(), scales.data());
  DecodeRow(row, 0, 256, again.data());
  EXPECT_EQ(back, again);

  // As integers: the same values, in the same order.
  for (std::size_t block = 0; block < 8; ++block) {
    ScaledBlock loaded;
    LoadMxfp4(codes.data() + 16 * block, scales.data() + block, loaded);
    for (std::size_t i = 0; i < 32; ++i)
      EXPECT_EQ(loaded.scale[i / 16] * static_cast<float>(loaded.code[i]), again[32 * block + i]);
  }
}

TEST(EncodeSplit, Nvfp4StaysWithinItsSteps) {
  const std::vector<float> values = NormalRow(256, 9);
  float largest = 0.0f;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  const float global = Nvfp4GlobalScale(largest);
  std::vector<std::byte> codes(128), scales(16);
  EncodeNvfp4Row(values.data(), 256, global, codes.data(), scales.data());
  std::vector<float> back(256);
  DecodeRow({.format = WeightFormat::kNvfp4,
             .codes = codes.data(),
             .scales = scales.data(),
             .global_scale = global},
            0, 256, back.data());
  // One step of 1/6 at the top, and a scale that is off by at most 1/16 of itself.
  EXPECT_LE(WorstRelative(values, back, 16), 1.0 / 6 + 1.0 / 16);
  for (std::size_t block = 0; block < 8; ++block) {
    ScaledBlock loaded;
    LoadNvfp4(codes.data() + 16 * block, scales.data() + 2 * block, global, loaded);
    for (std::size_t i = 0; i < 32; ++i)
      EXPECT_FLOAT_EQ(loaded.scale[i / 16] * static_cast<float>(loaded.code[i]),
                      back[32 * block + i]);
  }
}

TEST(EncodeFp8, BothKindsOfScales) {
  const std::vector<float> values = NormalRow(40 * 50, 10);
  for (const bool power_of_two : {false, true}) {
    std::vector<std::byte> codes(values.size());
    const float scale = EncodeFp8Tile({values.data(), 50, 40, 50, codes.data(), 50}, power_of_two);
    if (power_of_two) {
      EXPECT_EQ(E8m0ToF32(F32ToE8m0Up(scale)), scale);
    }
    float largest = 0.0f;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float back = E4m3ToF32(static_cast<std::uint8_t>(codes[i])) * scale;
      EXPECT_NEAR(back, values[i], 0x1p-4 * std::fabs(values[i]) + 0x1p-10 * scale);
      largest = std::max(largest, std::fabs(back));
    }
    EXPECT_GE(largest, (power_of_two ? 224.0f : 447.9f) * scale);
  }
}

}  // namespace
}  // namespace hadal
