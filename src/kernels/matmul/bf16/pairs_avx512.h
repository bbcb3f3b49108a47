// Pairs of bf16 in lanes of 32 bits on AVX-512. After simd/part_avx512.h; the names mean what
// pairs_avx2.h says.
#pragma once

namespace hadal {
namespace {

using Pairs = __m512i;

constexpr int kStreamedRows = 8;
constexpr int kChainRows = 4;
constexpr int kChainParts = 2;

HADAL_INLINE void TransposeBlock(const std::byte* const* row, std::int64_t at,
                                 Pairs (&column)[kPartLanes]) {
  __m512i a[16], b[16];
  for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(row[i] + at);
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
  // a[4 g + j]: columns j, j + 4, j + 8, j + 12 of rows 4 g .. 4 g + 3, a column a quarter.
  for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
  for (int j = 0; j < 4; ++j) {
    const __m512i low01 = _mm512_shuffle_i32x4(a[j], a[4 + j], 0x44);
    const __m512i high01 = _mm512_shuffle_i32x4(a[j], a[4 + j], 0xEE);
    const __m512i low23 = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0x44);
    const __m512i high23 = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0xEE);
    column[j] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    column[4 + j] = _mm512_shuffle_i32x4(low01, low23, 0xDD);
    column[8 + j] = _mm512_shuffle_i32x4(high01, high23, 0x88);
    column[12 + j] = _mm512_shuffle_i32x4(high01, high23, 0xDD);
  }
}

HADAL_INLINE Part LowHalves(Pairs a) { return _mm512_castsi512_ps(_mm512_slli_epi32(a, 16)); }
HADAL_INLINE Part HighHalves(Pairs a) {
  return _mm512_castsi512_ps(_mm512_and_si512(a, _mm512_set1_epi32(static_cast<int>(0xFFFF0000u))));
}
HADAL_INLINE void StorePairs(void* to, Part even, Part odd) {
  const Pairs first = _mm512_srli_epi32(_mm512_castps_si512(even), 16);
  _mm512_storeu_si512(to, _mm512_or_si512(first, _mm512_castps_si512(odd)));
}

HADAL_INLINE void Fp8Bits(Pairs codes, Part (&column)[4]) {
  const Pairs odd = _mm512_srai_epi16(codes, 4);
  const Pairs even = _mm512_srai_epi16(_mm512_slli_epi16(codes, 8), 4);
  const Pairs moved[4] = {_mm512_slli_epi32(even, 16), _mm512_slli_epi32(odd, 16), even, odd};
  const Pairs bits = _mm512_set1_epi32(static_cast<int>(0x87F0'0000u));
  for (int i = 0; i < 4; ++i) column[i] = _mm512_castsi512_ps(_mm512_and_si512(moved[i], bits));
}

HADAL_INLINE Pairs LargerCodes(Pairs most, Pairs codes) {
  return _mm512_max_epu8(most, _mm512_add_epi8(codes, codes));
}
HADAL_INLINE Part NanLanes(Pairs most) {
  const __mmask64 nan = _mm512_cmpeq_epi8_mask(most, _mm512_set1_epi8(static_cast<char>(0xFE)));
  const __m512i bytes = _mm512_movm_epi8(nan);
  return _mm512_castsi512_ps(_mm512_movm_epi32(_mm512_test_epi32_mask(bytes, bytes)));
}
HADAL_INLINE Part Or(Part a, Part b) { return _mm512_or_ps(a, b); }
HADAL_INLINE Pairs NoCodes() { return _mm512_setzero_si512(); }

}  // namespace
}  // namespace hadal
