// Pairs of bf16 in lanes of 32 bits on AVX2. After simd/part_avx2.h.
#pragma once

namespace hadal {
namespace {

using Pairs = __m256i;

// Rows and registers of outputs that share a pass: two chains each must fit the registers.
constexpr int kStreamedRows = 2;  // of activations, for which weights are not kept
constexpr int kChainRows = 3;
constexpr int kChainParts = 2;

// kPartLanes values of 32 bits of as many rows, from byte `at` on: column[j] holds value j of every
// row.
HADAL_INLINE void TransposeBlock(const std::byte* const* row, std::int64_t at,
                                 Pairs (&column)[kPartLanes]) {
  __m256i a[8], b[8];
  for (int i = 0; i < 8; ++i)
    a[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row[i] + at));
  for (int i = 0; i < 8; i += 2) {
    b[i] = _mm256_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm256_unpackhi_epi32(a[i], a[i + 1]);
  }
  // a[4 g + j]: columns j and j + 4 of rows 4 g .. 4 g + 3, a column a half.
  for (int i = 0; i < 8; i += 4) {
    a[i] = _mm256_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm256_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm256_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm256_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
  for (int j = 0; j < 4; ++j) {
    column[j] = _mm256_permute2x128_si256(a[j], a[4 + j], 0x20);
    column[4 + j] = _mm256_permute2x128_si256(a[j], a[4 + j], 0x31);
  }
}

// The first (low) and second (high) of each pair as f32.
HADAL_INLINE Part LowHalves(Pairs a) { return _mm256_castsi256_ps(_mm256_slli_epi32(a, 16)); }
HADAL_INLINE Part HighHalves(Pairs a) {
  return _mm256_castsi256_ps(_mm256_and_si256(a, _mm256_set1_epi32(static_cast<int>(0xFFFF0000u))));
}

// Puts such pairs of f32, which bf16 holds exactly, together.
HADAL_INLINE void StorePairs(void* to, Part even, Part odd) {
  const Pairs first = _mm256_srli_epi32(_mm256_castps_si256(even), 16);
  _mm256_storeu_si256(static_cast<Pairs*>(to), _mm256_or_si256(first, _mm256_castps_si256(odd)));
}

// Four FP8 codes a lane to f32. Their bits, moved into place, are 2^-120 times what they say,
// subnormals too: denormal inputs must count. A NaN code reads as 480.
HADAL_INLINE void Fp8Bits(Pairs codes, Part (&column)[4]) {
  const Pairs odd = _mm256_srai_epi16(codes, 4);
  const Pairs even = _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 4);
  const Pairs moved[4] = {_mm256_slli_epi32(even, 16), _mm256_slli_epi32(odd, 16), even, odd};
  const Pairs bits = _mm256_set1_epi32(static_cast<int>(0x87F0'0000u));
  for (int i = 0; i < 4; ++i) column[i] = _mm256_castsi256_ps(_mm256_and_si256(moved[i], bits));
}

// The codes without their signs, doubled, byte by byte: the larger of these and `most`. Where a
// byte of a lane ends up as 0xFE, one of its codes was NaN: all bits of the lane, else none.
HADAL_INLINE Pairs LargerCodes(Pairs most, Pairs codes) {
  return _mm256_max_epu8(most, _mm256_add_epi8(codes, codes));
}
HADAL_INLINE Part NanLanes(Pairs most) {
  const __m256i nan = _mm256_cmpeq_epi8(most, _mm256_set1_epi8(static_cast<char>(0xFE)));
  const __m256i none = _mm256_cmpeq_epi32(nan, _mm256_setzero_si256());
  return _mm256_castsi256_ps(_mm256_xor_si256(none, _mm256_set1_epi32(-1)));
}
HADAL_INLINE Part Or(Part a, Part b) { return _mm256_or_ps(a, b); }
HADAL_INLINE Pairs NoCodes() { return _mm256_setzero_si256(); }

}  // namespace
}  // namespace hadal
