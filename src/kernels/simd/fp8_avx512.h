// FP8 E4M3 codes on AVX-512. After simd/part_avx512.h; the names mean what fp8_avx2.h says.
#pragma once

#include <cstddef>

namespace hadal {
namespace {

// The magnitudes of the codes 0 .. 127 as bf16, 32 to a register.
struct Fp8Table {
  __m512i value[4];
};
HADAL_INLINE Fp8Table MakeFp8Table() {
  const __m512i count = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
                                         16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  Fp8Table table;
  for (int i = 0; i < 4; ++i) {
    const __m512i code = _mm512_add_epi16(count, _mm512_set1_epi16(static_cast<short>(32 * i)));
    table.value[i] = _mm512_add_epi16(_mm512_slli_epi16(code, 4), _mm512_set1_epi16(120 << 7));
  }
  // The eight codes below the normal numbers: multiples of 2^-9. The last code is not a number.
  const __m512i small = _mm512_castsi128_si512(
      _mm_setr_epi16(0x0000, 0x3B00, 0x3B80, 0x3BC0, 0x3C00, 0x3C20, 0x3C40, 0x3C60));
  table.value[0] = _mm512_mask_mov_epi16(table.value[0], 0xFFu, small);
  table.value[3] = _mm512_mask_mov_epi16(table.value[3], 0x8000'0000u, _mm512_set1_epi16(0x7FC0));
  return table;
}

HADAL_INLINE __m512i Fp8ToBf16(const Fp8Table& table, __m512i codes) {
  const __m512i low = _mm512_permutex2var_epi16(table.value[0], codes, table.value[1]);
  const __m512i high = _mm512_permutex2var_epi16(table.value[2], codes, table.value[3]);
  const __mmask32 upper = _mm512_test_epi16_mask(codes, _mm512_set1_epi16(0x40));
  const __m512i magnitude = _mm512_mask_mov_epi16(low, upper, high);
  const __m512i shifted = _mm512_slli_epi16(codes, 8);
  // magnitude | (shifted & sign)
  return _mm512_ternarylogic_epi32(magnitude, shifted,
                                   _mm512_set1_epi16(static_cast<short>(0x8000)), 0xF8);
}
HADAL_INLINE void Fp8Values(const Fp8Table& table, const std::byte* codes, Part* low, Part* high) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  const __m512i values = Fp8ToBf16(table, _mm512_cvtepu8_epi16(bytes));
  *low = FromBf16(_mm512_castsi512_si256(values));
  *high = FromBf16(_mm512_extracti64x4_epi64(values, 1));
}

}  // namespace
}  // namespace hadal
