// One register of f32 on AVX2 with FMA and F16C: eight lanes, so two of them are the sixteen lanes
// of the order "lanes" (ops/matmul.h). Included by files of this level only: everything is in an
// unnamed namespace and inlined, so that no code with wide instructions can be the copy that the
// linker keeps. No address needs any alignment.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#define HADAL_INLINE inline __attribute__((always_inline))

namespace hadal {
namespace {

using Part = __m256;
constexpr int kPartLanes = 8;
constexpr int kParts = 2;  // of sixteen lanes

// Register blocks: sums of rows x columns, with room for one operand of each.
constexpr int kDotRows = 3;
constexpr int kDotColumns = 4;
constexpr int kOuterRows = 6;
constexpr int kOuterParts = 2;
constexpr int kLaneParts = 2;  // of keys in lanes

HADAL_INLINE Part ZeroPart() { return _mm256_setzero_ps(); }
HADAL_INLINE Part Same(float value) { return _mm256_set1_ps(value); }
HADAL_INLINE Part Load(const float* from) { return _mm256_loadu_ps(from); }
HADAL_INLINE void Store(float* to, Part a) { _mm256_storeu_ps(to, a); }

// The first `count` lanes; the others are zero, and their memory is not touched. Any count.
HADAL_INLINE __m256i FirstLanes(std::int64_t count) {
  const int bounded = count > 8 ? 8 : static_cast<int>(count);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(bounded), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
HADAL_INLINE Part LoadFirst(const float* from, std::int64_t count) {
  return _mm256_maskload_ps(from, FirstLanes(count));
}
HADAL_INLINE void StoreFirst(float* to, Part a, std::int64_t count) {
  _mm256_maskstore_ps(to, FirstLanes(count), a);
}

// These bytes are wanted soon: into the second-level cache.
HADAL_INLINE void AskFor(const std::byte* from, std::int64_t bytes) {
  for (std::int64_t i = 0; i < bytes; i += 64)
    _mm_prefetch(reinterpret_cast<const char*>(from) + i, _MM_HINT_T1);
}

HADAL_INLINE Part Add(Part a, Part b) { return _mm256_add_ps(a, b); }
HADAL_INLINE Part Subtract(Part a, Part b) { return _mm256_sub_ps(a, b); }
HADAL_INLINE Part Multiply(Part a, Part b) { return _mm256_mul_ps(a, b); }
HADAL_INLINE Part Divide(Part a, Part b) { return _mm256_div_ps(a, b); }
HADAL_INLINE Part MultiplyAdd(Part a, Part b, Part c) { return _mm256_fmadd_ps(a, b, c); }
HADAL_INLINE Part SquareRoot(Part a) { return _mm256_sqrt_ps(a); }
// c - a * b
HADAL_INLINE Part NegativeMultiplyAdd(Part a, Part b, Part c) { return _mm256_fnmadd_ps(a, b, c); }
HADAL_INLINE Part Larger(Part a, Part b) { return _mm256_max_ps(a, b); }
HADAL_INLINE float LargestLane(Part a) {
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
}

HADAL_INLINE Part IfLess(Part a, Part b, Part yes, Part no) {
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
HADAL_INLINE Part IfNan(Part a, Part yes, Part no) {
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}
// p * 2^n by its bits, where `rounded` holds n in its low bits above those of `magic_bits`.
HADAL_INLINE Part AddToExponent(Part p, Part rounded, int magic_bits) {
  const __m256i n = _mm256_sub_epi32(_mm256_castps_si256(rounded), _mm256_set1_epi32(magic_bits));
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(n, 23)));
}
// x = m * 2^n with low <= m < 2 * low, for normal x above zero; gives back m.
HADAL_INLINE Part TakeExponent(Part x, float low, Part* n) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i above = _mm256_sub_epi32(bits, _mm256_castps_si256(_mm256_set1_ps(low)));
  const __m256i steps = _mm256_srai_epi32(above, 23);
  *n = _mm256_cvtepi32_ps(steps);
  return _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(steps, 23)));
}

// The tree over sixteen lanes: 8, 4, 2, 1 apart.
HADAL_INLINE float SumLanes(const Part (&lanes)[kParts]) {
  const __m256 eight = _mm256_add_ps(lanes[0], lanes[1]);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

HADAL_INLINE Part FromBf16(__m128i codes) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(codes), 16));
}
HADAL_INLINE Part FromBf16(const std::uint16_t* from) {
  return FromBf16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
HADAL_INLINE Part FromF16(const std::uint16_t* from) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
// The bf16 number next to each lane, as f32: nearest even; NaN stays NaN, quiet.
HADAL_INLINE Part RoundedToBf16(Part a) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x0040'0000));
  const __m256 nan = _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
  const __m256i kept = _mm256_blendv_epi8(up, quiet, _mm256_castps_si256(nan));
  const __m256i upper = _mm256_set1_epi32(static_cast<int>(0xFFFF'0000u));
  return _mm256_castsi256_ps(_mm256_and_si256(kept, upper));
}
HADAL_INLINE void ToBf16(std::uint16_t* to, Part a) {
  const __m256i high = _mm256_srli_epi32(_mm256_castps_si256(RoundedToBf16(a)), 16);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
}
// Part kPart of sixteen codes.
template <int kPart>
HADAL_INLINE Part FromInt8(__m128i codes) {
  const __m128i mine = kPart == 0 ? codes : _mm_unpackhi_epi64(codes, codes);
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(mine));
}
// a, which has no sign, with the sign bit of `sign`.
HADAL_INLINE Part WithSign(Part a, Part sign) {
  return _mm256_or_ps(a, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f)));
}

// Neighbours a, b hold pairs; even and odd hold the first and second of each, and back.
HADAL_INLINE void Unzip(Part a, Part b, Part* even, Part* odd) {
  const __m256 low = _mm256_shuffle_ps(a, b, 0x88), high = _mm256_shuffle_ps(a, b, 0xDD);
  *even = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(low), 0xD8));
  *odd = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(high), 0xD8));
}
HADAL_INLINE void Zip(Part even, Part odd, Part* a, Part* b) {
  const __m256 low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
  *a = _mm256_permute2f128_ps(low, high, 0x20);
  *b = _mm256_permute2f128_ps(low, high, 0x31);
}

// Of lanes that each hold a pair of bf16 codes.
HADAL_INLINE Part FirstOfPairs(Part pairs) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(pairs), 16));
}
HADAL_INLINE Part SecondOfPairs(Part pairs) {
  const __m256i upper = _mm256_set1_epi32(static_cast<int>(0xFFFF'0000u));
  return _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(pairs), upper));
}
// Lane i of row j becomes lane j of row i.
HADAL_INLINE void Transpose(Part (&rows)[kPartLanes]) {
  __m256 two[8];  // lanes of rows j, j + 1 in turn
  for (int j = 0; j < 8; j += 2) {
    two[j] = _mm256_unpacklo_ps(rows[j], rows[j + 1]);
    two[j + 1] = _mm256_unpackhi_ps(rows[j], rows[j + 1]);
  }
  __m256 four[8];  // four[4 j + i]: lanes i and i + 4 of rows 4 j .. 4 j + 3
  for (int j = 0; j < 8; j += 4)
    for (int i = 0; i < 2; ++i) {
      four[j + 2 * i] = _mm256_shuffle_ps(two[j + i], two[j + 2 + i], 0x44);
      four[j + 2 * i + 1] = _mm256_shuffle_ps(two[j + i], two[j + 2 + i], 0xEE);
    }
  for (int i = 0; i < 4; ++i) {
    rows[i] = _mm256_permute2f128_ps(four[i], four[4 + i], 0x20);
    rows[4 + i] = _mm256_permute2f128_ps(four[i], four[4 + i], 0x31);
  }
}

}  // namespace
}  // namespace hadal
