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

// code - offset, where bit 4 of code i is bit i of `fifth`.
void UnpackNibbles(const std::byte* packed, std::uint32_t fifth, int offset, std::int8_t* code) {
  for (int i = 0; i < 16; ++i) {
    const int byte = static_cast<int>(packed[i]);
    const int low = (byte & 15) | static_cast<int>((fifth >> i) & 1u) << 4;
    const int high = (byte >> 4) | static_cast<int>((fifth >> (i + 16)) & 1u) << 4;
    code[i] = static_cast<std::int8_t>(low - offset);
    code[i + 16] = static_cast<std::int8_t>(high - offset);
  }
}

}  // namespace

void LoadQ8_0(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), 0.0f);
  std::memcpy(out.code, block + 2, 32);
}

void LoadQ4_0(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), 0.0f);
  UnpackNibbles(block + 2, 0, 8, out.code);
}

void LoadQ4_1(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), LoadF16(block + 2));
  UnpackNibbles(block + 4, 0, 0, out.code);
}

void LoadQ5_0(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), 0.0f);
  UnpackNibbles(block + 6, LoadUnaligned<std::uint32_t>(block + 2), 16, out.code);
}

void LoadQ5_1(const std::byte* block, ScaledBlock& out) {
  SetScale(out, LoadF16(block), LoadF16(block + 2));
  UnpackNibbles(block + 8, LoadUnaligned<std::uint32_t>(block + 4), 0, out.code);
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
