// Exact dots of weight codes (u8) and activations (s8) with VNNI, after a vector_*.h; see int8.h.
#pragma once

namespace hadal {
namespace {

// Signed weights become unsigned by adding 128; the caller takes 128 times the activations' sum
// off.
constexpr int kSignedOffset = 128;
constexpr int kSignedMost = 255;
HADAL_INLINE Int FromSigned(Int code) { return Xor(code, Same(static_cast<int>(0x8080'8080u))); }

// dot[r] += the products of kVectors code vectors with 4 kVectors activations of row r. The codes
// are at most kMost.
template <int kMost, int kVectors, int kRows>
HADAL_INLINE void AddDots(const Int* code, const std::int8_t* const* x, Int* dot) {
  for (int c = 0; c < kVectors; ++c)
    for (int r = 0; r < kRows; ++r)
      dot[r] = _mm512_dpbusd_epi32(dot[r], code[c], SameBytes(x[r] + 4 * c));
}

// A sub-scale of super.h in the form that AddScaledDots wants: signed byte kByte of each lane.
template <int kByte>
HADAL_INLINE Int SubScale(Int bytes) {
  return ShiftRightSigned<24>(ShiftLeft<24 - 8 * kByte>(bytes));
}

// total[r] += sub_scale * the same products.
template <int kMost, int kVectors, int kRows>
HADAL_INLINE void AddScaledDots(const Int* code, Int sub_scale, const std::int8_t* const* x,
                                Int* total) {
  Int dot[kRows];
  for (int r = 0; r < kRows; ++r) dot[r] = Zero();
  AddDots<kMost, kVectors, kRows>(code, x, dot);
  for (int r = 0; r < kRows; ++r) total[r] = Add(total[r], Multiply(dot[r], sub_scale));
}

}  // namespace
}  // namespace hadal
