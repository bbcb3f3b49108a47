// Pairs of bf16 in lanes of 32 bits on AVX-512. After simd/part_avx512.h; the names mean what
// pairs_avx2.h says.
#pragma once

namespace hadal {
namespace {

using Pairs = __m512i;

constexpr int kChainRows = 4;
constexpr int kChainParts = 2;

HADAL_INLINE void TransposeFour(const std::byte* const* row, int at, Pairs (&columns)[4]) {
  const auto load = [row, at](int i) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row[i] + at));
  };
  __m512i part[4];  // rows j, j + 4, j + 8, j + 12
  for (int j = 0; j < 4; ++j) {
    part[j] = _mm512_castsi128_si512(load(j));
    part[j] = _mm512_inserti32x4(part[j], load(j + 4), 1);
    part[j] = _mm512_inserti32x4(part[j], load(j + 8), 2);
    part[j] = _mm512_inserti32x4(part[j], load(j + 12), 3);
  }
  const __m512i a = _mm512_unpacklo_epi32(part[0], part[1]);
  const __m512i b = _mm512_unpackhi_epi32(part[0], part[1]);
  const __m512i c = _mm512_unpacklo_epi32(part[2], part[3]);
  const __m512i d = _mm512_unpackhi_epi32(part[2], part[3]);
  columns[0] = _mm512_unpacklo_epi64(a, c);
  columns[1] = _mm512_unpackhi_epi64(a, c);
  columns[2] = _mm512_unpacklo_epi64(b, d);
  columns[3] = _mm512_unpackhi_epi64(b, d);
}

HADAL_INLINE Part LowHalves(Pairs a) { return _mm512_castsi512_ps(_mm512_slli_epi32(a, 16)); }
HADAL_INLINE Part HighHalves(Pairs a) {
  return _mm512_castsi512_ps(_mm512_and_si512(a, _mm512_set1_epi32(static_cast<int>(0xFFFF0000u))));
}

HADAL_INLINE void WidenFp8(const std::byte* codes, std::uint16_t* to) {
  const __m512i wide =
      _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
  const __m512i magnitude = _mm512_and_si512(wide, _mm512_set1_epi16(0x7F));
  __m512i value = _mm512_add_epi16(_mm512_slli_epi16(magnitude, 4), _mm512_set1_epi16(120 << 7));
  // The seven denormal codes: multiples of 2^-9.
  const __m512i denormal = _mm512_castsi128_si512(
      _mm_setr_epi16(0x0000, 0x3B00, 0x3B80, 0x3BC0, 0x3C00, 0x3C20, 0x3C40, 0x3C60));
  const __mmask32 small = _mm512_cmplt_epu16_mask(magnitude, _mm512_set1_epi16(8));
  value = _mm512_mask_permutexvar_epi16(value, small, magnitude, denormal);
  const __mmask32 nan = _mm512_cmpeq_epi16_mask(magnitude, _mm512_set1_epi16(0x7F));
  value = _mm512_mask_mov_epi16(value, nan, _mm512_set1_epi16(0x7FC0));
  const __m512i sign =
      _mm512_and_si512(_mm512_slli_epi16(wide, 8), _mm512_set1_epi16(static_cast<short>(0x8000)));
  _mm512_storeu_si512(to, _mm512_or_si512(value, sign));
}

}  // namespace
}  // namespace hadal
