// Fused steps of f32 for the reference kernels without std::fma, which is a call into the C library
// wherever the compiler may not assume the instruction: two at a time in doubles.
//
// The product of two f32 is exact in double, so that only the sum with the third is rounded twice,
// to double and to f32. That differs from one rounding only where the double lies half way between
// two f32 while the exact sum does not. Where that cannot be, Round(a * b + c) is the fused step;
// otherwise Doubt finds such sums, and ExactFma rounds any sum right.
//
// Pairs are vectors of the compiler's own, which gcc and clang lower on every processor; they make
// no vectors out of scalar code that mixes doubles and their bits.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace hadal {

using PairOfFloats = float __attribute__((vector_size(8)));
using FourFloats = float __attribute__((vector_size(16)));
using PairOfDoubles = double __attribute__((vector_size(16)));
using PairOfBits = std::uint64_t __attribute__((vector_size(16)));
using FourNumbers = std::int32_t __attribute__((vector_size(16)));

// Written so that gcc, too, makes one conversion of it: it takes two floats alone apart.
inline PairOfDoubles LoadPair(const float* from) {
  FourFloats four{};
  __builtin_memcpy(&four, from, sizeof(PairOfFloats));
  return PairOfDoubles{four[0], four[1]};
}
inline PairOfDoubles LoadPair(const double* from) {
  PairOfDoubles pair;
  __builtin_memcpy(&pair, from, sizeof(pair));
  return pair;
}
inline void StorePair(float* to, PairOfDoubles a) {
  const PairOfFloats pair = __builtin_convertvector(a, PairOfFloats);
  __builtin_memcpy(to, &pair, sizeof(pair));
}

// To f32 and back.
inline PairOfDoubles Round(PairOfDoubles a) {
  return __builtin_convertvector(__builtin_convertvector(a, PairOfFloats), PairOfDoubles);
}

// Not zero for a sum where Round might be wrong: half way between two normal f32, or too small to
// be one (zeros, too).
inline FourNumbers Doubt(PairOfDoubles a, PairOfDoubles b) {
  const auto first = reinterpret_cast<FourNumbers>(a), second = reinterpret_cast<FourNumbers>(b);
  constexpr int kLow = std::endian::native == std::endian::little ? 0 : 1, kHigh = 1 - kLow;
  const FourNumbers low =
      __builtin_shufflevector(first, second, kLow, kLow + 2, kLow + 4, kLow + 6);
  const FourNumbers high =
      __builtin_shufflevector(first, second, kHigh, kHigh + 2, kHigh + 4, kHigh + 6);
  constexpr std::int32_t kSmallest = (1023 - 126) << 20;  // upper half of 2^-126
  // An f32 has no room for the lower 29 bits.
  const FourNumbers half_way = (low << 3) == std::numeric_limits<std::int32_t>::min();
  const FourNumbers small = (high & std::numeric_limits<std::int32_t>::max()) < kSmallest;
  return half_way | small;
}
inline bool Any(FourNumbers doubt) {
  const auto bits = reinterpret_cast<PairOfBits>(doubt);
  return (bits[0] | bits[1]) != 0;
}

// fma(a, b, c) of f32 numbers, bit for bit but for the payload of NaN. The sum is rounded to odd:
// where it is not exact, its last bit becomes 1; then the second rounding is right (Boldo and
// Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
// odd", 2008). The error of the sum is Knuth's TwoSum.
inline PairOfDoubles ExactFma(PairOfDoubles a, PairOfDoubles b, PairOfDoubles c) {
  const PairOfDoubles product = a * b;
  const PairOfDoubles sum = product + c;
  const PairOfDoubles part = sum - product;
  const PairOfDoubles error = (product - (sum - part)) + (c - part);
  const auto bits = reinterpret_cast<PairOfBits>(sum);
  const auto error_bits = reinterpret_cast<PairOfBits>(error);
  // 1 where there is an error; none where it is NaN, which infinities bring.
  constexpr std::uint64_t kMagnitude = ~std::uint64_t{0} >> 1, kNanToTop = std::uint64_t{1} << 51;
  const PairOfBits magnitude = error_bits & kMagnitude;
  const PairOfBits inexact = ((magnitude + kMagnitude) & ~(magnitude + kNanToTop)) >> 63;
  // Cut off towards zero, then made odd.
  const PairOfBits beyond = ((bits ^ error_bits) >> 63) & inexact;
  return Round(reinterpret_cast<PairOfDoubles>((bits - beyond) | inexact));
}

}  // namespace hadal
