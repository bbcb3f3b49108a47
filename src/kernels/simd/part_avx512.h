// One register of f32 on AVX-512 (F, BW, DQ, VL). Included by files of this level only: everything
// is in an unnamed namespace and inlined, so that no code with wide instructions can be the copy
// that the linker keeps. The names mean what part_avx2.h says.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#define HADAL_INLINE inline __attribute__((always_inline))

namespace hadal {
namespace {

using Part = __m512;
constexpr int kPartLanes = 16;
constexpr int kParts = 1;

// Register blocks: sums of rows x columns, with room for one operand of each.
constexpr int kDotRows = 4;
constexpr int kDotColumns = 4;
constexpr int kOuterRows = 4;
constexpr int kOuterParts = 4;
constexpr int kLaneParts = 4;  // of keys in lanes

HADAL_INLINE Part ZeroPart() { return _mm512_setzero_ps(); }
HADAL_INLINE Part Same(float value) { return _mm512_set1_ps(value); }
HADAL_INLINE Part Load(const float* from) { return _mm512_loadu_ps(from); }
HADAL_INLINE void Store(float* to, Part a) { _mm512_storeu_ps(to, a); }

HADAL_INLINE __mmask16 FirstLanes(std::int64_t count) {
  return count >= 16 ? static_cast<__mmask16>(0xFFFF)
                     : static_cast<__mmask16>(count <= 0 ? 0 : (1u << count) - 1u);
}
HADAL_INLINE Part LoadFirst(const float* from, std::int64_t count) {
  return _mm512_maskz_loadu_ps(FirstLanes(count), from);
}
HADAL_INLINE void StoreFirst(float* to, Part a, std::int64_t count) {
  _mm512_mask_storeu_ps(to, FirstLanes(count), a);
}

// These bytes are wanted soon: into the second-level cache.
HADAL_INLINE void AskFor(const std::byte* from, std::int64_t bytes) {
  for (std::int64_t i = 0; i < bytes; i += 64)
    _mm_prefetch(reinterpret_cast<const char*>(from) + i, _MM_HINT_T1);
}

HADAL_INLINE Part Add(Part a, Part b) { return _mm512_add_ps(a, b); }
HADAL_INLINE Part Subtract(Part a, Part b) { return _mm512_sub_ps(a, b); }
HADAL_INLINE Part Multiply(Part a, Part b) { return _mm512_mul_ps(a, b); }
HADAL_INLINE Part Divide(Part a, Part b) { return _mm512_div_ps(a, b); }
HADAL_INLINE Part MultiplyAdd(Part a, Part b, Part c) { return _mm512_fmadd_ps(a, b, c); }
HADAL_INLINE Part SquareRoot(Part a) { return _mm512_sqrt_ps(a); }
HADAL_INLINE Part NegativeMultiplyAdd(Part a, Part b, Part c) { return _mm512_fnmadd_ps(a, b, c); }
HADAL_INLINE Part Larger(Part a, Part b) { return _mm512_max_ps(a, b); }
HADAL_INLINE float LargestLane(Part a) { return _mm512_reduce_max_ps(a); }

HADAL_INLINE Part IfLess(Part a, Part b, Part yes, Part no) {
  return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), yes);
}
HADAL_INLINE Part IfNan(Part a, Part yes, Part no) {
  return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), yes);
}
HADAL_INLINE Part AddToExponent(Part p, Part rounded, int magic_bits) {
  const __m512i n = _mm512_sub_epi32(_mm512_castps_si512(rounded), _mm512_set1_epi32(magic_bits));
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(n, 23)));
}
HADAL_INLINE Part TakeExponent(Part x, float low, Part* n) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i above = _mm512_sub_epi32(bits, _mm512_castps_si512(_mm512_set1_ps(low)));
  const __m512i steps = _mm512_srai_epi32(above, 23);
  *n = _mm512_cvtepi32_ps(steps);
  return _mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(steps, 23)));
}

HADAL_INLINE float SumLanes(const Part (&lanes)[kParts]) {
  const __m256 eight =
      _mm256_add_ps(_mm512_castps512_ps256(lanes[0]), _mm512_extractf32x8_ps(lanes[0], 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

HADAL_INLINE Part FromBf16(__m256i codes) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(codes), 16));
}
HADAL_INLINE Part FromBf16(const std::uint16_t* from) {
  return FromBf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
HADAL_INLINE Part FromF16(const std::uint16_t* from) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
HADAL_INLINE Part RoundedToBf16(Part a) {
  const __m512i bits = _mm512_castps_si512(a);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x0040'0000));
  const __m512i kept = _mm512_mask_mov_epi32(up, _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), quiet);
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF'0000u));
  return _mm512_castsi512_ps(_mm512_and_si512(kept, upper));
}
HADAL_INLINE void ToBf16(std::uint16_t* to, Part a) {
  const __m512i high = _mm512_srli_epi32(_mm512_castps_si512(RoundedToBf16(a)), 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(high));
}
template <int kPart>
HADAL_INLINE Part FromInt8(__m128i codes) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(codes));
}
HADAL_INLINE Part WithSign(Part a, Part sign) {
  return _mm512_or_ps(a, _mm512_and_ps(sign, _mm512_set1_ps(-0.0f)));
}

HADAL_INLINE void Unzip(Part a, Part b, Part* even, Part* odd) {
  const __m512i step = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  *even = _mm512_permutex2var_ps(a, step, b);
  *odd = _mm512_permutex2var_ps(a, _mm512_add_epi32(step, _mm512_set1_epi32(1)), b);
}
HADAL_INLINE void Zip(Part even, Part odd, Part* a, Part* b) {
  const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  *a = _mm512_permutex2var_ps(even, low, odd);
  *b = _mm512_permutex2var_ps(even, _mm512_add_epi32(low, _mm512_set1_epi32(8)), odd);
}

// Of lanes that each hold a pair of bf16 codes.
HADAL_INLINE Part FirstOfPairs(Part pairs) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(pairs), 16));
}
HADAL_INLINE Part SecondOfPairs(Part pairs) {
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF'0000u));
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(pairs), upper));
}
// Lane i of row j becomes lane j of row i.
HADAL_INLINE void Transpose(Part (&rows)[kPartLanes]) {
  __m512d two[16];  // lanes of rows j, j + 1 in turn; by pairs of lanes
  for (int j = 0; j < 16; j += 2) {
    two[j] = _mm512_castps_pd(_mm512_unpacklo_ps(rows[j], rows[j + 1]));
    two[j + 1] = _mm512_castps_pd(_mm512_unpackhi_ps(rows[j], rows[j + 1]));
  }
  Part four[16];  // four[4 j + i]: lanes i, i + 4, i + 8, i + 12 of rows 4 j .. 4 j + 3
  for (int j = 0; j < 16; j += 4)
    for (int i = 0; i < 2; ++i) {
      four[j + 2 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(two[j + i], two[j + 2 + i]));
      four[j + 2 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(two[j + i], two[j + 2 + i]));
    }
  for (int i = 0; i < 4; ++i) {
    const Part even_low = _mm512_shuffle_f32x4(four[i], four[4 + i], 0x88);
    const Part odd_low = _mm512_shuffle_f32x4(four[i], four[4 + i], 0xDD);
    const Part even_high = _mm512_shuffle_f32x4(four[8 + i], four[12 + i], 0x88);
    const Part odd_high = _mm512_shuffle_f32x4(four[8 + i], four[12 + i], 0xDD);
    rows[i] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
    rows[4 + i] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
    rows[8 + i] = _mm512_shuffle_f32x4(even_low, even_high, 0xDD);
    rows[12 + i] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xDD);
  }
}

}  // namespace
}  // namespace hadal
