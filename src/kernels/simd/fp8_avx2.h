// FP8 E4M3 codes on AVX2. After simd/part_avx2.h.
#pragma once

#include <cstddef>

namespace hadal {
namespace {

// What turns FP8 codes into bf16: the bytes of the eight values below the normal numbers.
struct Fp8Table {
  __m256i low_bytes, high_bytes;
};
HADAL_INLINE Fp8Table MakeFp8Table() {
  const char x80 = static_cast<char>(0x80), xC0 = static_cast<char>(0xC0);
  return {_mm256_broadcastsi128_si256(
              _mm_setr_epi8(0, 0, x80, xC0, 0, 0x20, 0x40, 0x60, 0, 0, 0, 0, 0, 0, 0, 0)),
          _mm256_broadcastsi128_si256(
              _mm_setr_epi8(0, 0x3B, 0x3B, 0x3B, 0x3C, 0x3C, 0x3C, 0x3C, 0, 0, 0, 0, 0, 0, 0, 0))};
}

// The lower byte of each half, an FP8 code, to bf16, exactly: normal numbers move their bits and
// add 120 to the exponent. The upper bytes do not matter.
HADAL_INLINE __m256i Fp8ToBf16(const Fp8Table& table, __m256i codes) {
  const __m256i magnitude = _mm256_and_si256(codes, _mm256_set1_epi16(0x7F));
  const __m256i normal =
      _mm256_add_epi16(_mm256_slli_epi16(magnitude, 4), _mm256_set1_epi16(120 << 7));
  // The upper byte of each index has its top bit set: it reads as zero.
  const __m256i index = _mm256_or_si256(magnitude, _mm256_set1_epi16(static_cast<short>(0x8000)));
  const __m256i denormal =
      _mm256_or_si256(_mm256_shuffle_epi8(table.low_bytes, index),
                      _mm256_slli_epi16(_mm256_shuffle_epi8(table.high_bytes, index), 8));
  const __m256i small = _mm256_cmpgt_epi16(_mm256_set1_epi16(8), magnitude);
  const __m256i nan = _mm256_and_si256(_mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(0x7F)),
                                       _mm256_set1_epi16(0x7FC0));
  const __m256i value = _mm256_or_si256(_mm256_blendv_epi8(normal, denormal, small), nan);
  const __m256i sign =
      _mm256_and_si256(_mm256_slli_epi16(codes, 8), _mm256_set1_epi16(static_cast<short>(0x8000)));
  return _mm256_or_si256(value, sign);
}
// 2 * kPartLanes codes as f32, exactly.
HADAL_INLINE void Fp8Values(const Fp8Table& table, const std::byte* codes, Part* low, Part* high) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
  const __m256i values = Fp8ToBf16(table, _mm256_cvtepu8_epi16(bytes));
  *low = FromBf16(_mm256_castsi256_si128(values));
  *high = FromBf16(_mm256_extracti128_si256(values, 1));
}

}  // namespace
}  // namespace hadal
