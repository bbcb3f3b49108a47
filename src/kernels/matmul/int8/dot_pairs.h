// Exact dots of weight codes (u8) and activations (s8) without VNNI: products in 16-bit pairs, as
// many added as fit, then widened. After a vector_*.h; see int8.h.
#pragma once

namespace hadal {
namespace {

// Signed weights stay as they are: their magnitude meets the activation with their sign.
constexpr int kSignedOffset = 0;
constexpr int kSignedMost = 128;
HADAL_INLINE Int FromSigned(Int code) { return code; }

// Pairs of products that a signed 16-bit lane holds: activations are within +-127. A power of two.
constexpr int PairsThatFit(int most, int vectors) {
  int fit = 1;
  while (2 * fit <= vectors && 2 * fit * 2 * most * 127 <= 32767) fit *= 2;
  return fit;
}
static_assert(2 * kSignedMost * 127 <= 32767);

template <int kMost>
HADAL_INLINE Int Pairs(Int code, Int x) {
  if constexpr (kMost == kSignedMost) return MultiplyBytes(Magnitude8(code), WithSign8(x, code));
  return MultiplyBytes(code, x);
}

// dot[r] += sub_scale * the products of kVectors code vectors with 4 kVectors activations of row r;
// sub_scale stands in each 16-bit half of a lane.
template <int kMost, int kVectors, int kRows>
HADAL_INLINE void AddScaledDots(const Int* code, Int sub_scale, const std::int8_t* const* x,
                                Int* dot) {
  constexpr int kFit = PairsThatFit(kMost, kVectors);
  for (int first = 0; first < kVectors; first += kFit) {
    Int pairs[kRows];
    for (int r = 0; r < kRows; ++r)
      pairs[r] = Pairs<kMost>(code[first], SameBytes(x[r] + 4 * first));
    for (int c = first + 1; c < first + kFit; ++c)
      for (int r = 0; r < kRows; ++r)
        pairs[r] = Add16(pairs[r], Pairs<kMost>(code[c], SameBytes(x[r] + 4 * c)));
    for (int r = 0; r < kRows; ++r) dot[r] = Add(dot[r], MultiplyPairs16(pairs[r], sub_scale));
  }
}

template <int kMost, int kVectors, int kRows>
HADAL_INLINE void AddDots(const Int* code, const std::int8_t* const* x, Int* dot) {
  AddScaledDots<kMost, kVectors, kRows>(code, Same(0x0001'0001), x, dot);
}

// A sub-scale of super.h in the form that AddScaledDots wants: signed byte kByte of each lane.
template <int kByte>
HADAL_INLINE Int SubScale(Int bytes) {
  // The byte goes to the upper half of both 16-bit numbers of its lane, then down with its sign.
  constexpr std::int8_t kTable[16] = {-1, kByte,     -1, kByte,     -1, kByte + 4,  -1, kByte + 4,
                                      -1, kByte + 8, -1, kByte + 8, -1, kByte + 12, -1, kByte + 12};
  return ShiftRightSigned16<8>(Shuffle(bytes, SameTable(kTable)));
}

}  // namespace
}  // namespace hadal
