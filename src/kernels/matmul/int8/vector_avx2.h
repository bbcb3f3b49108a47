// A vector on AVX2: eight lanes of 32 bits, one output row a lane. Included by files of this level
// only; see int8.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace hadal {
namespace {

#define HADAL_INLINE inline __attribute__((always_inline))

using Int = __m256i;
using Float = __m256;
using Bytes = std::uint8_t;

constexpr int kLanes = 8;

HADAL_INLINE Int Zero() { return _mm256_setzero_si256(); }
HADAL_INLINE Float ZeroF() { return _mm256_setzero_ps(); }
HADAL_INLINE Int Same(int value) { return _mm256_set1_epi32(value); }
HADAL_INLINE Float Same(float value) { return _mm256_set1_ps(value); }

// The four bytes at `from` in every lane.
HADAL_INLINE Int SameBytes(const void* from) {
  int value;
  __builtin_memcpy(&value, from, 4);
  return _mm256_set1_epi32(value);
}
// The same 16 bytes in each 128-bit part.
HADAL_INLINE Int SameTable(const void* from) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(from)));
}

// The line at this address is wanted soon: into the first-level cache.
HADAL_INLINE void Prefetch(const void* at) {
  _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T0);
}

HADAL_INLINE Int And(Int a, Int b) { return _mm256_and_si256(a, b); }
HADAL_INLINE Int Or(Int a, Int b) { return _mm256_or_si256(a, b); }
HADAL_INLINE Int Xor(Int a, Int b) { return _mm256_xor_si256(a, b); }
HADAL_INLINE Int Add(Int a, Int b) { return _mm256_add_epi32(a, b); }
HADAL_INLINE Int Subtract(Int a, Int b) { return _mm256_sub_epi32(a, b); }
HADAL_INLINE Int Multiply(Int a, Int b) { return _mm256_mullo_epi32(a, b); }
HADAL_INLINE Int Add16(Int a, Int b) { return _mm256_add_epi16(a, b); }
HADAL_INLINE Int Subtract8(Int a, Int b) { return _mm256_sub_epi8(a, b); }
HADAL_INLINE Int Multiply16(Int a, Int b) { return _mm256_mullo_epi16(a, b); }
// Each lane: the sum of two products of 16-bit numbers.
HADAL_INLINE Int MultiplyPairs16(Int a, Int b) { return _mm256_madd_epi16(a, b); }
// 16-bit lanes: the sum of two products of unsigned bytes of a and signed ones of b, saturated.
HADAL_INLINE Int MultiplyBytes(Int a, Int b) { return _mm256_maddubs_epi16(a, b); }
// Of signed bytes: |a|, and b with the sign of a.
HADAL_INLINE Int Magnitude8(Int a) { return _mm256_abs_epi8(a); }
HADAL_INLINE Int WithSign8(Int b, Int a) { return _mm256_sign_epi8(b, a); }
HADAL_INLINE Int SmallerBytes(Int a, Int b) { return _mm256_min_epu8(a, b); }
// Bytes of a chosen by b's within each 128-bit part; 0 where b's top bit is set.
HADAL_INLINE Int Shuffle(Int a, Int b) { return _mm256_shuffle_epi8(a, b); }
template <int kBits>
HADAL_INLINE Int ShiftLeft(Int a) {
  return _mm256_slli_epi32(a, kBits);
}
template <int kBits>
HADAL_INLINE Int ShiftRight(Int a) {
  return _mm256_srli_epi32(a, kBits);
}
template <int kBits>
HADAL_INLINE Int ShiftRightSigned(Int a) {
  return _mm256_srai_epi32(a, kBits);
}
template <int kBits>
HADAL_INLINE Int ShiftRightSigned16(Int a) {
  return _mm256_srai_epi16(a, kBits);
}
// a where the lanes x and y are equal, else b.
HADAL_INLINE Int IfEqual(Int x, Int y, Int a, Int b) {
  return _mm256_blendv_epi8(b, a, _mm256_cmpeq_epi32(x, y));
}

HADAL_INLINE Float Multiply(Float a, Float b) { return _mm256_mul_ps(a, b); }
HADAL_INLINE Float MultiplyAdd(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
HADAL_INLINE Float NegativeMultiplyAdd(Float a, Float b, Float c) {
  return _mm256_fnmadd_ps(a, b, c);
}
HADAL_INLINE Float ToFloat(Int a) { return _mm256_cvtepi32_ps(a); }
HADAL_INLINE Float AsFloat(Int a) { return _mm256_castsi256_ps(a); }
HADAL_INLINE Int AsInt(Float a) { return _mm256_castps_si256(a); }
// f16 in the low half of each lane.
HADAL_INLINE Float FromF16(Int a) {
  const __m256i packed =
      _mm256_packus_epi32(_mm256_and_si256(a, _mm256_set1_epi32(0xFFFF)), Zero());
  return _mm256_cvtph_ps(_mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
}

// `count` lanes of memory from lane `first` on; the others are zero, or stay as they are.
HADAL_INLINE Int LaneMask(int first, int count) {
  const Int lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(first), lane),
                             _mm256_cmpgt_epi32(_mm256_set1_epi32(first + count), lane));
}
HADAL_INLINE Float Load(const float* from, int first, int count) {
  return _mm256_maskload_ps(from, LaneMask(first, count));
}
HADAL_INLINE void Store(float* to, int first, int count, Float a) {
  _mm256_maskstore_ps(to, LaneMask(first, count), a);
}

HADAL_INLINE Float LoadAll(const float* from) { return _mm256_loadu_ps(from); }

// Signed lanes.
HADAL_INLINE Int Larger(Int a, Int b) { return _mm256_max_epi32(a, b); }
HADAL_INLINE Int Smaller(Int a, Int b) { return _mm256_min_epi32(a, b); }
HADAL_INLINE int LargestLane(Int a) {
  __m128i half = _mm_max_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0xB1));
  return _mm_cvtsi128_si32(half);
}
HADAL_INLINE Float Divide(Float a, Float b) { return _mm256_div_ps(a, b); }
HADAL_INLINE Int ToIntNearest(Float a) { return _mm256_cvtps_epi32(a); }  // ties to even
// The lanes, which fit, as bytes.
HADAL_INLINE void StoreAsInt8(std::int8_t* to, Int a) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(words, words));
}
HADAL_INLINE std::int16_t SumOf16(const std::int8_t* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  __m128i sum = _mm_madd_epi16(_mm_maddubs_epi16(_mm_set1_epi8(1), bytes), _mm_set1_epi16(1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return static_cast<std::int16_t>(_mm_cvtsi128_si32(sum));
}

// One small number of each row, zero-extended into its lane.
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
  return _mm256_setr_epi32(read(0), read(1), read(2), read(3), read(4), read(5), read(6), read(7));
}
template <typename Row>
HADAL_INLINE Int Gather16(const Row& row, std::int64_t at) {
  const auto read = [&row, at](int i) { return static_cast<short>(Read16(row[i] + at)); };
  return _mm256_cvtepu16_epi32(
      _mm_setr_epi16(read(0), read(1), read(2), read(3), read(4), read(5), read(6), read(7)));
}
template <typename Row>
HADAL_INLINE Int Gather8(const Row& row, std::int64_t at) {
  const auto read = [&row, at](int i) { return static_cast<short>(row[i][at]); };
  return _mm256_cvtepu16_epi32(
      _mm_setr_epi16(read(0), read(1), read(2), read(3), read(4), read(5), read(6), read(7)));
}
template <typename Row>
HADAL_INLINE Float GatherF16(const Row& row, std::int64_t at) {
  const auto read = [&row, at](int i) { return static_cast<short>(Read16(row[i] + at)); };
  return _mm256_cvtph_ps(
      _mm_setr_epi16(read(0), read(1), read(2), read(3), read(4), read(5), read(6), read(7)));
}

// The same for neighbouring blocks, kStride bytes apart: f16, bytes, 32 bits.
template <int kStride, int kBlocks, typename Row>
HADAL_INLINE void GatherF16s(const Row& row, std::int64_t at, Float* out) {
  for (int b = 0; b < kBlocks; ++b) out[b] = GatherF16(row, at + b * kStride);
}
template <int kStride, int kBlocks, typename Row>
HADAL_INLINE void GatherBytes(const Row& row, std::int64_t at, Int* out) {
  for (int b = 0; b < kBlocks; ++b) out[b] = Gather8(row, at + b * kStride);
}
template <int kStride, typename Row>
HADAL_INLINE void GatherFour32(const Row& row, std::int64_t at, Int* out) {
  for (int b = 0; b < 4; ++b) out[b] = Gather32(row, at + b * kStride);
}

// 16 bytes of each row: part i of part[j] is row 4 i + j, so that TransposeParts leaves the rows in
// the order of the lanes.
template <typename Row>
HADAL_INLINE void LoadParts(const Row& row, std::int64_t at, Int (&part)[4]) {
  for (int j = 0; j < 4; ++j)
    part[j] = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row[j] + at))),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(row[j + 4] + at)), 1);
}
// out[c]: bytes 4 c .. 4 c + 3 of every row, a row a lane.
HADAL_INLINE void TransposeParts(const Int (&part)[4], Int* out) {
  const Int a = _mm256_unpacklo_epi32(part[0], part[1]),
            b = _mm256_unpackhi_epi32(part[0], part[1]);
  const Int c = _mm256_unpacklo_epi32(part[2], part[3]),
            d = _mm256_unpackhi_epi32(part[2], part[3]);
  out[0] = _mm256_unpacklo_epi64(a, c);
  out[1] = _mm256_unpackhi_epi64(a, c);
  out[2] = _mm256_unpacklo_epi64(b, d);
  out[3] = _mm256_unpackhi_epi64(b, d);
}
// Bytes of the lower or upper half of each 128-bit part of a and b in turn.
HADAL_INLINE Int InterleaveLow(Int a, Int b) { return _mm256_unpacklo_epi8(a, b); }
HADAL_INLINE Int InterleaveHigh(Int a, Int b) { return _mm256_unpackhi_epi8(a, b); }

}  // namespace
}  // namespace hadal
