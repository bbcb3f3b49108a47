// Pairs of bf16 in lanes of 32 bits on AVX2. After simd/part_avx2.h and simd/fp8.h.
#pragma once

namespace hadal {
namespace {

using Pairs = __m256i;

// Rows and registers of outputs that share a pass: two chains each must fit the registers.
constexpr int kChainRows = 3;
constexpr int kChainParts = 2;

// Four pairs of each of kPartLanes rows, from byte `at` on: columns[j] holds pair j of every row.
HADAL_INLINE void TransposeFour(const std::byte* const* row, int at, Pairs (&columns)[4]) {
  const auto load = [row, at](int i) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row[i] + at));
  };
  __m256i part[4];  // rows j, j + 4
  for (int j = 0; j < 4; ++j)
    part[j] = _mm256_inserti128_si256(_mm256_castsi128_si256(load(j)), load(j + 4), 1);
  const __m256i a = _mm256_unpacklo_epi32(part[0], part[1]);
  const __m256i b = _mm256_unpackhi_epi32(part[0], part[1]);
  const __m256i c = _mm256_unpacklo_epi32(part[2], part[3]);
  const __m256i d = _mm256_unpackhi_epi32(part[2], part[3]);
  columns[0] = _mm256_unpacklo_epi64(a, c);
  columns[1] = _mm256_unpackhi_epi64(a, c);
  columns[2] = _mm256_unpacklo_epi64(b, d);
  columns[3] = _mm256_unpackhi_epi64(b, d);
}

// The first (low) and second (high) of each pair as f32.
HADAL_INLINE Part LowHalves(Pairs a) { return _mm256_castsi256_ps(_mm256_slli_epi32(a, 16)); }
HADAL_INLINE Part HighHalves(Pairs a) {
  return _mm256_castsi256_ps(_mm256_and_si256(a, _mm256_set1_epi32(static_cast<int>(0xFFFF0000u))));
}

// 32 FP8 codes to bf16.
HADAL_INLINE void WidenFp8(const std::byte* codes, std::uint16_t* to) {
  for (int i = 0; i < 32; i += 16)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                        Fp8ToBf16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i))));
}

}  // namespace
}  // namespace hadal
