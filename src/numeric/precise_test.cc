#include "numeric/precise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace hadal {
namespace {

// The system's long double functions have 11 more bits than are asked for.
constexpr long double kBound = 4e-16L;

TEST(Precise, LogAgreesWithLongDouble) {
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const double exponent = static_cast<double>(random.Below(2000)) / 100.0 - 10.0;
    const double x = std::ldexp(1.0 + static_cast<double>(random.Below(1u << 30)) * 0x1p-30,
                                static_cast<int>(exponent * 3));
    const long double expected = std::log(static_cast<long double>(x));
    EXPECT_LE(std::fabs(PreciseLog(x) - expected), kBound * std::fabs(expected)) << x;
  }
  EXPECT_EQ(PreciseLog(1.0), 0.0);
}

TEST(Precise, ExpAgreesWithLongDouble) {
  Random random(2);
  for (int i = 0; i < 20000; ++i) {
    const double x = (static_cast<double>(random.Below(1u << 30)) * 0x1p-29 - 1.0) * 700.0;
    const long double expected = std::exp(static_cast<long double>(x));
    EXPECT_LE(std::fabs(PreciseExp(x) - expected), kBound * expected) << x;
  }
  EXPECT_EQ(PreciseExp(0.0), 1.0);
}

TEST(Precise, PowAgreesWithLongDouble) {
  Random random(3);
  for (int i = 0; i < 20000; ++i) {
    const double base = 1.001 + static_cast<double>(random.Below(1u << 30)) * 0.01;
    const double exponent = static_cast<double>(random.Below(1u << 20)) * 0x1p-19 - 1.0;
    const long double expected =
        std::pow(static_cast<long double>(base), static_cast<long double>(exponent));
    EXPECT_LE(std::fabs(PrecisePow(base, exponent) - expected), kBound * expected)
        << base << "^" << exponent;
  }
  EXPECT_EQ(PrecisePow(64.0, -0.5), 0.125);
  EXPECT_EQ(PrecisePow(10000.0, 0.0), 1.0);
}

}  // namespace
}  // namespace hadal
