// The emulated tiles against the manual's definition, case by case and by an evaluation of their
// own; the processor's against the emulated ones where it has them.
#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/random.h"
#include "kernels/cpu_level.h"
#include "kernels/simd/test_tile.h"
#include "kernels/simd/test_tile_case.h"
#include "numeric/formats.h"

namespace hadal {

void RunOnEmulatedTiles(const TileCase& tiles) { RunCase<EmulatedTiles>(tiles); }

namespace {

using Bytes = std::array<std::uint8_t, 1024>;

// c of m rows and n columns, over k groups of four bytes.
TileConfig Shapes(int m, int n, int k) {
  TileConfig config;
  config.rows[0] = config.rows[1] = static_cast<std::uint8_t>(m);
  config.rows[2] = static_cast<std::uint8_t>(k);
  config.row_bytes[0] = config.row_bytes[2] = static_cast<std::uint16_t>(4 * n);
  config.row_bytes[1] = static_cast<std::uint16_t>(4 * k);
  return config;
}

struct Operands {
  Bytes a{}, b{}, c{};
  void SetA(int m, int k, std::uint16_t code) { std::memcpy(&a[64 * m + 2 * k], &code, 2); }
  void SetB(int k, int n, std::uint16_t code) {  // column k of 32
    std::memcpy(&b[64 * (k / 2) + 4 * n + 2 * (k % 2)], &code, 2);
  }
  void SetC(float value) { std::memcpy(&c[0], &value, 4); }
  float Value(int m = 0, int n = 0) const {
    float value;
    std::memcpy(&value, &c[64 * m + 4 * n], 4);
    return value;
  }
  TileCase Case(const TileConfig& config, bool bf16) {
    return {config, bf16, c.data(), a.data(), b.data()};
  }
};

Bytes RandomBytes(Random* random) {
  Bytes bytes;
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random->Next32());
  return bytes;
}
// bf16 of magnitudes between 2^-low and 2^high.
Bytes RandomBf16(Random* random, int low, int high) {
  Bytes bytes;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto span = static_cast<std::uint64_t>(low + high + 1);
    const int exponent = static_cast<int>(random->Below(span)) - low;
    const std::uint16_t code = F32ToBf16(std::ldexp(random->Normal(), exponent));
    std::memcpy(&bytes[i], &code, 2);
  }
  return bytes;
}

TEST(EmulatedTiles, Int8DotsAreExactForEveryShape) {
  Random random(1);
  for (const int m : {1, 5, 16})
    for (const int n : {1, 7, 16})
      for (const int k : {1, 4, 8, 16}) {
        Operands operands{RandomBytes(&random), RandomBytes(&random), RandomBytes(&random)};
        const Operands before = operands;
        RunOnEmulatedTiles(operands.Case(Shapes(m, n, k), false));
        for (int r = 0; r < 16; ++r)
          for (int o = 0; o < 16; ++o) {
            std::int32_t start, got;
            std::memcpy(&start, &before.c[64 * r + 4 * o], 4);
            std::memcpy(&got, &operands.c[64 * r + 4 * o], 4);
            std::int64_t want = start;
            for (int i = 0; r < m && o < n && i < 4 * k; ++i)
              want += static_cast<std::int8_t>(before.a[64 * r + i]) *
                      static_cast<std::int8_t>(before.b[64 * (i / 4) + 4 * o + i % 4]);
            ASSERT_EQ(static_cast<std::uint32_t>(got), static_cast<std::uint32_t>(want));
          }
      }
}

// One output whose chains have these products: {even x, even w, odd x, odd w} by pairs.
float Bf16Dot(float start, const std::vector<std::array<float, 4>>& pairs) {
  Operands operands;
  operands.SetC(start);
  for (std::size_t i = 0; i < pairs.size(); ++i)
    for (int side = 0; side < 2; ++side) {
      const int k = 2 * static_cast<int>(i) + side;
      operands.SetA(0, k, F32ToBf16(pairs[i][2 * static_cast<std::size_t>(side)]));
      operands.SetB(k, 0, F32ToBf16(pairs[i][2 * static_cast<std::size_t>(side) + 1]));
    }
  RunOnEmulatedTiles(operands.Case(Shapes(1, 1, 16), true));
  return operands.Value();
}

TEST(EmulatedTiles, Bf16StepsAreFusedAndInOrder) {
  EXPECT_EQ(Bf16Dot(1.5f, {{2, 3, 4, 5}}), 27.5f);
  // Fused: a product below the normal numbers counts beside a larger sum.
  EXPECT_EQ(Bf16Dot(0, {{0x1p-60f, 0x1p-60f, 0, 0}, {0x1p-65f, 0x1p-65f, 0, 0}}),
            0x1p-120f + 0x1p-130f);
  // Each chain alone: 1 is lost beside 2^24, and comes back where the large number is gone first.
  EXPECT_EQ(Bf16Dot(0, {{0x1p24f, 1, 0, 0}, {1, 1, 0, 0}, {-0x1p24f, 1, 0, 0}}), 0.0f);
  EXPECT_EQ(Bf16Dot(0, {{0x1p24f, 1, 0, 0}, {-0x1p24f, 1, 0, 0}, {1, 1, 0, 0}}), 1.0f);
  EXPECT_EQ(Bf16Dot(0, {{0x1p24f, 1, 1, 1}, {-0x1p24f, 1, 0, 0}}), 1.0f);
  // The chains are added to each other before they meet the sum.
  EXPECT_EQ(Bf16Dot(0x1p24f, {{1, 1, 1, 1}}), 0x1p24f + 2);
  EXPECT_EQ(Bf16Dot(0x1p24f, {{1, 1, 0, 0}}), 0x1p24f);
}

TEST(EmulatedTiles, DenormalsAreZeroWhateverTheMode) {
  for (const unsigned mode : {0x1F80u, 0x9FC0u, 0x9F80u, 0x7F80u}) {  // usual, both, results, down
    const unsigned before = _mm_getcsr();
    _mm_setcsr(mode);
    const float product = Bf16Dot(0, {{0x1p-70f, 0x1p-70f, 0, 0}});
    const float input = Bf16Dot(0, {{0x1p-130f, 0x1p30f, 0, 0}});
    const float sum = Bf16Dot(0x1p-130f, {{0, 0, 0, 0}});
    const float smallest = Bf16Dot(0, {{0x1p-63f, 0x1p-63f, 0, 0}});
    const float even_and_odd = Bf16Dot(0, {{0x1.8p-63f, 0x1p-63f, -0x1p-63f, 0x1p-63f}});
    // 1 + 2^-24 + 2^-31: up.
    const float nearest = Bf16Dot(0, {{1, 1, 0, 0}, {0x1p-12f, 0x1.02p-12f, 0, 0}});
    // From 2^-126 down by less than half a step of its lower neighbours, by half, by more.
    const float stays = Bf16Dot(0, {{0x1p-63f, 0x1p-63f, 0, 0}, {-0x1p-76f, 0x1p-76f, 0, 0}});
    const float tie = Bf16Dot(0, {{0x1p-63f, 0x1p-63f, 0, 0}, {-0x1p-76f, 0x1p-75f, 0, 0}});
    const float flushed = Bf16Dot(0, {{0x1p-63f, 0x1p-63f, 0, 0}, {-0x1p-75f, 0x1p-75f, 0, 0}});
    _mm_setcsr(before);
    EXPECT_EQ(product, 0.0f) << mode;
    EXPECT_EQ(input, 0.0f) << mode;
    EXPECT_EQ(sum, 0.0f) << mode;
    EXPECT_EQ(smallest, 0x1p-126f) << mode;
    EXPECT_EQ(even_and_odd, 0.0f) << mode;
    EXPECT_EQ(nearest, 1.0f + 0x1p-23f) << mode;
    EXPECT_EQ(stays, 0x1p-126f) << mode;
    EXPECT_EQ(tie, 0x1p-126f) << mode;
    EXPECT_EQ(flushed, 0.0f) << mode;
  }
}

TEST(EmulatedTiles, LoadsAndStoresKeepToTheirShape) {
  const TileConfig config = Shapes(3, 2, 1);
  std::array<std::uint8_t, 400> from, to{};
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::uint8_t>(i % 251 + 1);
  EmulatedTiles::Configure(config);
  EmulatedTiles::Load<0>(from.data(), 100);
  EmulatedTiles::Store<0>(to.data(), 70);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::size_t row = i / 70, column = i % 70;
    EXPECT_EQ(to[i], row < 3 && column < 8 ? from[100 * row + column] : 0) << i;
  }
  EmulatedTiles::Zero<0>();
  EmulatedTiles::Store<0>(from.data(), 100);
  EXPECT_EQ(from[207], 0);
  EmulatedTiles::Release();
}

TEST(EmulatedTilesDeathTest, RefuseWhatTheProcessorRefuses) {
  const auto dot = [](TileConfig config) {
    Operands operands;
    RunOnEmulatedTiles(operands.Case(config, false));
  };
  TileConfig other_rows = Shapes(4, 4, 4);
  other_rows.rows[0] = 5;
  EXPECT_DEATH(dot(other_rows), "shapes do not fit");
  TileConfig tall = Shapes(4, 4, 4);
  tall.rows[1] = 17;
  EXPECT_DEATH(dot(tall), "too large");
  TileConfig half = Shapes(4, 4, 4);
  half.rows[3] = 1;
  EXPECT_DEATH(dot(half), "rows of nothing");
  EXPECT_DEATH(EmulatedTiles::Zero<0>(), "without shapes");
}

TEST(AmxTiles, EqualTheEmulatedOnes) {
  if (!Supports(DetectCpuFeatures(), CpuLevel::kAmx))
    GTEST_SKIP() << "this processor, or its system, has no AMX: tiles are tested by emulation";
  Random random(7);
  for (int turn = 0; turn < 20'000; ++turn) {
    const auto upto = [&random](int most) { return 1 + static_cast<int>(random.Below(most)); };
    const TileConfig config = Shapes(upto(16), upto(16), upto(16));
    const bool bf16 = turn % 2 == 1;
    // Numbers of one size; of all sizes, denormals among them; any bits, NaN and infinity too.
    const int kind = turn / 2 % 3;
    Operands operands{RandomBytes(&random), RandomBytes(&random), RandomBytes(&random)};
    if (bf16 && kind < 2) {
      operands.a = RandomBf16(&random, kind == 0 ? 2 : 90, kind == 0 ? 2 : 30);
      operands.b = RandomBf16(&random, kind == 0 ? 2 : 60, kind == 0 ? 2 : 30);
      for (std::size_t i = 0; i < operands.c.size(); i += 4) {
        const float value = std::ldexp(random.Normal(), kind == 0 ? 0 : -120);
        std::memcpy(&operands.c[i], &value, 4);
      }
    }
    Operands emulated = operands;
    RunOnAmxTiles(operands.Case(config, bf16));
    RunOnEmulatedTiles(emulated.Case(config, bf16));
    for (int m = 0; m < 16; ++m)
      for (int n = 0; n < 16; ++n) {
        const float got = operands.Value(m, n), want = emulated.Value(m, n);
        const bool same = std::bit_cast<std::uint32_t>(got) == std::bit_cast<std::uint32_t>(want);
        ASSERT_TRUE(same || (bf16 && std::isnan(got) && std::isnan(want)))
            << "turn " << turn << " row " << m << " column " << n << ": " << got << " and " << want;
      }
  }
}

}  // namespace
}  // namespace hadal
