// FP8 E4M3 codes to bf16, exactly: every value of the one is a value of the other. After a
// part_*.h.
#pragma once

namespace hadal {
namespace {

// Sixteen codes. Normal numbers move their bits and add 120 to the exponent; the seven denormal
// ones (multiples of 2^-9) come from a table of bytes.
HADAL_INLINE __m256i Fp8ToBf16(__m128i codes) {
  const __m256i wide = _mm256_cvtepu8_epi16(codes);
  const __m256i magnitude = _mm256_and_si256(wide, _mm256_set1_epi16(0x7F));
  const __m256i normal =
      _mm256_add_epi16(_mm256_slli_epi16(magnitude, 4), _mm256_set1_epi16(120 << 7));
  const __m256i low_bytes = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0x00, 0x00, static_cast<char>(0x80), static_cast<char>(0xC0), 0x00, 0x20, 0x40,
                    0x60, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i high_bytes = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0x00, 0x3B, 0x3B, 0x3B, 0x3C, 0x3C, 0x3C, 0x3C, 0, 0, 0, 0, 0, 0, 0, 0));
  // The upper byte of each index has its top bit set: it reads as zero.
  const __m256i index = _mm256_or_si256(magnitude, _mm256_set1_epi16(static_cast<short>(0x8000)));
  const __m256i denormal =
      _mm256_or_si256(_mm256_shuffle_epi8(low_bytes, index),
                      _mm256_slli_epi16(_mm256_shuffle_epi8(high_bytes, index), 8));
  const __m256i small = _mm256_cmpgt_epi16(_mm256_set1_epi16(8), magnitude);
  const __m256i nan = _mm256_and_si256(_mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(0x7F)),
                                       _mm256_set1_epi16(0x7FC0));
  const __m256i value = _mm256_or_si256(_mm256_blendv_epi8(normal, denormal, small), nan);
  const __m256i sign = _mm256_slli_epi16(_mm256_and_si256(wide, _mm256_set1_epi16(0x80)), 8);
  return _mm256_or_si256(value, sign);
}

}  // namespace
}  // namespace hadal
