#include "numeric/precise.h"

#include <cmath>

namespace hadal {
namespace {

// ln 2 in two parts: the first has its last 32 bits zero, so that small integers times it are
// exact.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

// A number as high + low, for powers: one double would lose bits of exponent * ln(base).
struct Pair {
  double high, low;
};

// The exact product, by one fused step.
Pair Product(double a, double b) {
  const double high = a * b;
  return {high, std::fma(a, b, -high)};
}

// ln x = e ln 2 + 2 atanh(s), s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt(2)): |s| < 0.172, and
// the odd series to s^23 leaves less than 1e-19.
Pair LogPair(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2.0;
    --exponent;
  }
  const double numerator = mantissa - 1.0, denominator = mantissa + 1.0;
  const double s = numerator / denominator;
  // What the quotient lost; the sum mantissa + 1 lost what its subtraction shows.
  const double lost = mantissa - (denominator - 1.0);
  const double s_low = (std::fma(-s, denominator, numerator) - s * lost) / denominator;
  const double z = s * s;
  double tail = 0.0;
  for (int k = 23; k >= 3; k -= 2) tail = tail * z + 1.0 / k;
  const double series = 2.0 * s * z * tail;
  const double n = exponent;
  const double high = std::fma(n, kLn2High, 2.0 * s);
  const double rest = std::fma(n, kLn2High, -high) + 2.0 * s;
  return {high, rest + (n * kLn2Low + (series + 2.0 * s_low))};
}

// e^(high + low) = 2^n e^r, |r| <= ln 2 / 2, by the Taylor series to r^14.
double ExpPair(Pair x) {
  const double n = std::nearbyint(x.high * 1.4426950408889634);
  const double r_high = std::fma(-n, kLn2High, x.high);
  const double r_low = x.low - n * kLn2Low;
  const double r = r_high + r_low;
  double series = 0.0;
  for (int k = 14; k >= 2; --k) series = (series + 1.0) * r / k;
  // series = (e^r - 1 - r) / r
  const double lost = (r_high - r) + r_low;
  return std::ldexp(1.0 + (r + (series * r + lost)), static_cast<int>(n));
}

}  // namespace

double PreciseLog(double x) {
  const Pair log = LogPair(x);
  return log.high + log.low;
}

double PreciseExp(double x) { return ExpPair({x, 0.0}); }

double PrecisePow(double base, double exponent) {
  if (exponent == 0.0) return 1.0;
  const Pair log = LogPair(base);
  const Pair product = Product(log.high, exponent);
  return ExpPair({product.high, product.low + log.low * exponent});
}

}  // namespace hadal
