// A vector on AVX-512 (F, BW, DQ, VL): sixteen lanes of 32 bits, one output row a lane. Included by
// files of this level only; see int8.h. The names mean what vector_avx2.h says.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace hadal {
namespace {

#define HADAL_INLINE inline __attribute__((always_inline))

using Int = __m512i;
using Float = __m512;
using Bytes = std::uint8_t;

constexpr int kLanes = 16;

HADAL_INLINE Int Zero() { return _mm512_setzero_si512(); }
HADAL_INLINE Float ZeroF() { return _mm512_setzero_ps(); }
HADAL_INLINE Int Same(int value) { return _mm512_set1_epi32(value); }
HADAL_INLINE Float Same(float value) { return _mm512_set1_ps(value); }
HADAL_INLINE Int SameBytes(const void* from) {
  int value;
  __builtin_memcpy(&value, from, 4);
  return _mm512_set1_epi32(value);
}
HADAL_INLINE Int SameTable(const void* from) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i*>(from)));
}

// The line at this address is wanted soon: into the first-level cache.
HADAL_INLINE void Prefetch(const void* at) {
  _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T0);
}

HADAL_INLINE Int And(Int a, Int b) { return _mm512_and_si512(a, b); }
HADAL_INLINE Int Or(Int a, Int b) { return _mm512_or_si512(a, b); }
HADAL_INLINE Int Xor(Int a, Int b) { return _mm512_xor_si512(a, b); }
HADAL_INLINE Int Add(Int a, Int b) { return _mm512_add_epi32(a, b); }
HADAL_INLINE Int Subtract(Int a, Int b) { return _mm512_sub_epi32(a, b); }
HADAL_INLINE Int Multiply(Int a, Int b) { return _mm512_mullo_epi32(a, b); }
HADAL_INLINE Int Add16(Int a, Int b) { return _mm512_add_epi16(a, b); }
HADAL_INLINE Int Subtract8(Int a, Int b) { return _mm512_sub_epi8(a, b); }
HADAL_INLINE Int Multiply16(Int a, Int b) { return _mm512_mullo_epi16(a, b); }
HADAL_INLINE Int MultiplyPairs16(Int a, Int b) { return _mm512_madd_epi16(a, b); }
HADAL_INLINE Int MultiplyBytes(Int a, Int b) { return _mm512_maddubs_epi16(a, b); }
HADAL_INLINE Int Magnitude8(Int a) { return _mm512_abs_epi8(a); }
HADAL_INLINE Int WithSign8(Int b, Int a) {
  return _mm512_mask_sub_epi8(b, _mm512_movepi8_mask(a), Zero(), b);
}
HADAL_INLINE Int SmallerBytes(Int a, Int b) { return _mm512_min_epu8(a, b); }
HADAL_INLINE Int Shuffle(Int a, Int b) { return _mm512_shuffle_epi8(a, b); }
template <int kBits>
HADAL_INLINE Int ShiftLeft(Int a) {
  return _mm512_slli_epi32(a, kBits);
}
template <int kBits>
HADAL_INLINE Int ShiftRight(Int a) {
  return _mm512_srli_epi32(a, kBits);
}
template <int kBits>
HADAL_INLINE Int ShiftRightSigned(Int a) {
  return _mm512_srai_epi32(a, kBits);
}
template <int kBits>
HADAL_INLINE Int ShiftRightSigned16(Int a) {
  return _mm512_srai_epi16(a, kBits);
}
HADAL_INLINE Int IfEqual(Int x, Int y, Int a, Int b) {
  return _mm512_mask_mov_epi32(b, _mm512_cmpeq_epi32_mask(x, y), a);
}

HADAL_INLINE Float Multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
HADAL_INLINE Float MultiplyAdd(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
HADAL_INLINE Float NegativeMultiplyAdd(Float a, Float b, Float c) {
  return _mm512_fnmadd_ps(a, b, c);
}
HADAL_INLINE Float ToFloat(Int a) { return _mm512_cvtepi32_ps(a); }
HADAL_INLINE Float AsFloat(Int a) { return _mm512_castsi512_ps(a); }
HADAL_INLINE Int AsInt(Float a) { return _mm512_castps_si512(a); }
HADAL_INLINE Float FromF16(Int a) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(a)); }

HADAL_INLINE __mmask16 LaneMask(int first, int count) {
  return static_cast<__mmask16>(((1u << count) - 1u) << first);
}
HADAL_INLINE Float Load(const float* from, int first, int count) {
  return _mm512_maskz_loadu_ps(LaneMask(first, count), from);
}
HADAL_INLINE void Store(float* to, int first, int count, Float a) {
  _mm512_mask_storeu_ps(to, LaneMask(first, count), a);
}

HADAL_INLINE Float LoadAll(const float* from) { return _mm512_loadu_ps(from); }

HADAL_INLINE Int Larger(Int a, Int b) { return _mm512_max_epi32(a, b); }
HADAL_INLINE Int Smaller(Int a, Int b) { return _mm512_min_epi32(a, b); }
HADAL_INLINE int LargestLane(Int a) { return _mm512_reduce_max_epi32(a); }
HADAL_INLINE Float Divide(Float a, Float b) { return _mm512_div_ps(a, b); }
HADAL_INLINE Int ToIntNearest(Float a) { return _mm512_cvtps_epi32(a); }
HADAL_INLINE void StoreAsInt8(std::int8_t* to, Int a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(a));
}
HADAL_INLINE std::int16_t SumOf16(const std::int8_t* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return static_cast<std::int16_t>(_mm512_reduce_add_epi32(_mm512_cvtepi8_epi32(bytes)));
}

HADAL_INLINE std::uint32_t Read32(const Bytes* from) {
  std::uint32_t value;
  __builtin_memcpy(&value, from, 4);
  return value;
}
HADAL_INLINE std::uint16_t Read16(const Bytes* from) {
  std::uint16_t value;
  __builtin_memcpy(&value, from, 2);
  return value;
}
template <typename Row>
HADAL_INLINE Int Gather32(const Row& row, std::int64_t at) {
  const auto read = [&row, at](int i) { return static_cast<int>(Read32(row[i] + at)); };
  return _mm512_setr_epi32(read(0), read(1), read(2), read(3), read(4), read(5), read(6), read(7),
                           read(8), read(9), read(10), read(11), read(12), read(13), read(14),
                           read(15));
}
template <typename Row>
HADAL_INLINE __m256i Gather16Packed(const Row& row, std::int64_t at) {
  const auto read = [&row, at](int i) { return static_cast<short>(Read16(row[i] + at)); };
  return _mm256_setr_epi16(read(0), read(1), read(2), read(3), read(4), read(5), read(6), read(7),
                           read(8), read(9), read(10), read(11), read(12), read(13), read(14),
                           read(15));
}
template <typename Row>
HADAL_INLINE Int Gather16(const Row& row, std::int64_t at) {
  return _mm512_cvtepu16_epi32(Gather16Packed(row, at));
}
template <typename Row>
HADAL_INLINE Int Gather8(const Row& row, std::int64_t at) {
  const auto read = [&row, at](int i) { return static_cast<char>(row[i][at]); };
  return _mm512_cvtepu8_epi32(_mm_setr_epi8(read(0), read(1), read(2), read(3), read(4), read(5),
                                            read(6), read(7), read(8), read(9), read(10), read(11),
                                            read(12), read(13), read(14), read(15)));
}
template <typename Row>
HADAL_INLINE Float GatherF16(const Row& row, std::int64_t at) {
  return _mm512_cvtph_ps(Gather16Packed(row, at));
}

// Words of sixteen rows for several blocks, with one permutation a row: kBlocks words that lie in
// 64 bytes, a block every kStride bytes (an odd stride gives the word that holds the byte). Eight
// rows share a register, a 128-bit part a block. Nothing behind the blocks is read: a row may be
// the last of its file.
template <int kStride, int kBlocks, typename Row>
HADAL_INLINE void GatherWords(const Row& row, std::int64_t at, __m256i* out) {
  static_assert((kBlocks == 2 || kBlocks == 4) && (kBlocks - 1) * kStride + 2 <= 64);
  constexpr int kTwo = kStride / 2 * 0x0001'0001;
  constexpr int kThree = 2 * kStride / 2 * 0x0001'0001, kFour = 3 * kStride / 2 * 0x0001'0001;
  const Int from = _mm512_setr_epi32(0, 0, 0, 0, kTwo, kTwo, kTwo, kTwo, kThree, kThree, kThree,
                                     kThree, kFour, kFour, kFour, kFour);
  Int eight[2];
  for (int half = 0; half < 2; ++half) {
    const auto line = [&](int i) {
      const Bytes* begin = row[8 * half + i] + at;
      constexpr int kBytes = kBlocks * kStride;
      if constexpr (kBytes >= 64) return _mm512_loadu_si512(begin);
      return _mm512_maskz_loadu_epi8((std::uint64_t{1} << kBytes % 64) - 1, begin);
    };
    Int words = _mm512_permutexvar_epi16(from, line(0));
    for (int i = 1; i < 8; ++i)
      words = _mm512_mask_permutexvar_epi16(words, 0x0101'0101u << i, from, line(i));
    eight[half] = words;
  }
  const Int first =
      _mm512_permutex2var_epi64(eight[0], _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), eight[1]);
  out[0] = _mm512_castsi512_si256(first);
  out[1] = _mm512_extracti64x4_epi64(first, 1);
  if constexpr (kBlocks == 4) {
    const Int last = _mm512_permutex2var_epi64(
        eight[0], _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), eight[1]);
    out[2] = _mm512_castsi512_si256(last);
    out[3] = _mm512_extracti64x4_epi64(last, 1);
  }
}
// The same numbers as f16.
template <int kStride, int kBlocks, typename Row>
HADAL_INLINE void GatherF16s(const Row& row, std::int64_t at, Float* out) {
  __m256i words[kBlocks];
  GatherWords<kStride, kBlocks>(row, at, words);
  for (int b = 0; b < kBlocks; ++b) out[b] = _mm512_cvtph_ps(words[b]);
}
// The bytes that begin the blocks, zero-extended.
template <int kStride, int kBlocks, typename Row>
HADAL_INLINE void GatherBytes(const Row& row, std::int64_t at, Int* out) {
  __m256i words[kBlocks];
  GatherWords<kStride, kBlocks>(row, at, words);
  for (int b = 0; b < kBlocks; ++b) {
    const __m256i byte = b * kStride % 2 == 0 ? _mm256_and_si256(words[b], _mm256_set1_epi16(0xFF))
                                              : _mm256_srli_epi16(words[b], 8);
    out[b] = _mm512_cvtepu16_epi32(byte);
  }
}
// 32 bits of four blocks, of which the last begins at most 60 bytes after the first.
template <int kStride, typename Row>
HADAL_INLINE void GatherFour32(const Row& row, std::int64_t at, Int* out) {
  static_assert(kStride % 4 == 0 && 3 * kStride + 4 <= 64 && 4 * kStride >= 64);
  constexpr int kStep = kStride / 4;
  const Int from =
      _mm512_setr_epi32(0, 0, 0, 0, kStep, kStep, kStep, kStep, 2 * kStep, 2 * kStep, 2 * kStep,
                        2 * kStep, 3 * kStep, 3 * kStep, 3 * kStep, 3 * kStep);
  Int four[4];
  for (int group = 0; group < 4; ++group) {
    const auto line = [&](int i) { return _mm512_loadu_si512(row[4 * group + i] + at); };
    Int rows = _mm512_permutexvar_epi32(from, line(0));
    for (int i = 1; i < 4; ++i)
      rows =
          _mm512_mask_permutexvar_epi32(rows, static_cast<__mmask16>(0x1111u << i), from, line(i));
    four[group] = rows;
  }
  // 128-bit parts: four[g] holds blocks 0 .. 3 of rows 4 g .. 4 g + 3.
  const Int a = _mm512_shuffle_i32x4(four[0], four[1], 0x44);
  const Int b = _mm512_shuffle_i32x4(four[0], four[1], 0xEE);
  const Int c = _mm512_shuffle_i32x4(four[2], four[3], 0x44);
  const Int d = _mm512_shuffle_i32x4(four[2], four[3], 0xEE);
  out[0] = _mm512_shuffle_i32x4(a, c, 0x88);
  out[1] = _mm512_shuffle_i32x4(a, c, 0xDD);
  out[2] = _mm512_shuffle_i32x4(b, d, 0x88);
  out[3] = _mm512_shuffle_i32x4(b, d, 0xDD);
}

template <typename Row>
HADAL_INLINE void LoadParts(const Row& row, std::int64_t at, Int (&part)[4]) {
  const auto load = [&row, at](int i) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row[i] + at));
  };
  for (int j = 0; j < 4; ++j) {
    Int rows = _mm512_castsi128_si512(load(j));
    rows = _mm512_inserti32x4(rows, load(j + 4), 1);
    rows = _mm512_inserti32x4(rows, load(j + 8), 2);
    part[j] = _mm512_inserti32x4(rows, load(j + 12), 3);
  }
}
HADAL_INLINE void TransposeParts(const Int (&part)[4], Int* out) {
  const Int a = _mm512_unpacklo_epi32(part[0], part[1]),
            b = _mm512_unpackhi_epi32(part[0], part[1]);
  const Int c = _mm512_unpacklo_epi32(part[2], part[3]),
            d = _mm512_unpackhi_epi32(part[2], part[3]);
  out[0] = _mm512_unpacklo_epi64(a, c);
  out[1] = _mm512_unpackhi_epi64(a, c);
  out[2] = _mm512_unpacklo_epi64(b, d);
  out[3] = _mm512_unpackhi_epi64(b, d);
}
HADAL_INLINE Int InterleaveLow(Int a, Int b) { return _mm512_unpacklo_epi8(a, b); }
HADAL_INLINE Int InterleaveHigh(Int a, Int b) { return _mm512_unpackhi_epi8(a, b); }

}  // namespace
}  // namespace hadal
