// GGUF blocks of 32 with one scale: Q8_0, Q4_0, Q4_1, Q5_0, Q5_1. Four-bit codes of the first 16
// columns lie in the low nibbles, those of the last 16 in the high ones.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "numeric/formats.h"
#include "numeric/formats_encode.h"

namespace hadal {
namespace {

float LoadF16(const std::byte* from) { return F16ToF32(LoadUnaligned<std::uint16_t>(from)); }

void SetScale(ScaledBlock& out, float scale, float minimum) {
  out.scale[0] = out.scale[1] = scale;
  out.minimum = minimum;
}

// Written so that compilers turn the loops into vectors: decoding whole models in the profile
// `float` goes through here.
void UnpackNibbles(const std::byte* packed, int offset, std::int8_t* code) {
  for (int i = 0; i < 16; ++i) {
    const auto byte = static_cast<std::uint8_t>(packed[i]);
    code[i] = static_cast<std::int8_t>((byte & 15) - offset);
    code[i + 16] = static_cast<std::int8_t>((byte >> 4) - offset);
  }
}

// code | 16 * bit i of `bits`, less the offset. The product moves bit i to the top of 16 bits.
void AddFifthBits(std::uint16_t bits, int offset, std::int8_t* code) {
  static constexpr std::uint16_t kToTop[16] = {0x8000, 0x4000, 0x2000, 0x1000, 0x800, 0x400,
                                               0x200,  0x100,  0x80,   0x40,   0x20,  0x10,
                                               8,      4,      2,      1};
  std::uint8_t fifth[16];
  for (int i = 0; i < 16; ++i)
    fifth[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(bits * kToTop[i]) >> 15);
  for (int i = 0; i < 16; ++i)
    code[i] = static_cast<std::int8_t>((code[i] | fifth[i] << 4) - offset);
}

// Five-bit codes: nibbles and a word of fifth bits.
void UnpackFive(const std::byte* packed, const std::byte* fifth, int offset, std::int8_t* code) {
  UnpackNibbles(packed, 0, code);
  AddFifthBits(LoadUnaligned<std::uint16_t>(fifth), offset, code);
  AddFifthBits(LoadUnaligned<std::uint16_t>(fifth + 2), offset, code + 16);
}

}  // namespace

void LoadQ8_0(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), 0.0f);
  std::memcpy(out.code, block + 2, 32);
}

void LoadQ4_0(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), 0.0f);
  UnpackNibbles(block + 2, 8, out.code);
}

void LoadQ4_1(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), LoadF16(block + 2));
  UnpackNibbles(block + 4, 0, out.code);
}

void LoadQ5_0(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), 0.0f);
  UnpackFive(block + 6, block + 2, 16, out.code);
}

void LoadQ5_1(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), LoadF16(block + 2));
  UnpackFive(block + 8, block + 4, 0, out.code);
}

// As ggml: codes from the unrounded scale, halves away from zero.
void EncodeQ8_0(const float* values, std::byte* block) {
  float largest = 0.0f;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(values[i]));
  const float scale = largest / 127.0f;
  const float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
  StoreUnaligned(block, F32ToF16(scale));
  for (int i = 0; i < 32; ++i) {
    const float code = std::clamp(std::round(values[i] * inverse), -127.0f, 127.0f);
    block[2 + i] = static_cast<std::byte>(std::isnan(code) ? 0 : static_cast<int>(code));
  }
}

// As ggml: the value of largest magnitude becomes code 0 (-8), so its sign decides the scale's.
void EncodeQ4_0(const float* values, std::byte* block) {
  float extreme = 0.0f;
  for (int i = 0; i < 32; ++i)
    if (std::fabs(values[i]) > std::fabs(extreme)) extreme = values[i];
  const float scale = extreme / -8.0f;
  const float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
  StoreUnaligned(block, F32ToF16(scale));
  const auto encode = [inverse](float value) {
    const float code = std::clamp(value * inverse + 8.5f, 0.0f, 15.0f);
    return std::isnan(code) ? 8 : static_cast<int>(code);
  };
  for (int i = 0; i < 16; ++i)
    block[2 + i] = static_cast<std::byte>(encode(values[i]) | encode(values[i + 16]) << 4);
}

}  // namespace hadal
