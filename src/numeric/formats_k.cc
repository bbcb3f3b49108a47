// GGUF blocks of 256 with sub-scales: Q4_K, Q5_K, Q6_K.
#include <cstring>

#include "base/bytes.h"
#include "numeric/formats.h"

namespace hadal {
namespace {

float LoadF16(const std::byte* from) { return F16ToF32(LoadUnaligned<std::uint16_t>(from)); }

// The common head of Q4_K and Q5_K: d, dmin, and 12 bytes with eight sub-scales and eight
// sub-minimums of six bits. Bytes 0..3 and 4..7 hold those of the first four in their low six bits
// and the upper two bits of the last four on top; bytes 8..11 hold the low nibbles of the last
// four.
void LoadHead(const std::byte* block, SuperBlock& out) {
  out.scale = LoadF16(block);
  out.minimum = LoadF16(block + 2);
  std::uint8_t packed[12];
  std::memcpy(packed, block + 4, 12);
  for (int i = 0; i < 4; ++i) {
    const int scale = packed[i], minimum = packed[4 + i], low = packed[8 + i];
    const int scales[2] = {scale & 63, (low & 15) | (scale >> 6) << 4};
    const int minimums[2] = {minimum & 63, (low >> 4) | (minimum >> 6) << 4};
    for (int half = 0; half < 2; ++half) {
      const int sub = 4 * half + i;
      out.sub_scale[2 * sub] = out.sub_scale[2 * sub + 1] = static_cast<std::int8_t>(scales[half]);
      out.sub_minimum[sub] = static_cast<std::uint8_t>(minimums[half]);
    }
  }
}

}  // namespace

void LoadQ4_K(const std::byte* block, SuperBlock& out) {
  LoadHead(block, out);
  const std::byte* packed = block + 16;
  for (int group = 0; group < 4; ++group)
    for (int i = 0; i < 32; ++i) {
      const int byte = static_cast<int>(packed[32 * group + i]);
      out.code[64 * group + i] = static_cast<std::int8_t>(byte & 15);
      out.code[64 * group + 32 + i] = static_cast<std::int8_t>(byte >> 4);
    }
}

void LoadQ5_K(const std::byte* block, SuperBlock& out) {
  LoadHead(block, out);
  const std::byte* fifth = block + 16;
  const std::byte* packed = block + 48;
  for (int group = 0; group < 4; ++group)
    for (int i = 0; i < 32; ++i) {
      const int byte = static_cast<int>(packed[32 * group + i]);
      const int bits = static_cast<int>(fifth[i]) >> (2 * group);
      out.code[64 * group + i] = static_cast<std::int8_t>((byte & 15) | (bits & 1) << 4);
      out.code[64 * group + 32 + i] = static_cast<std::int8_t>((byte >> 4) | (bits & 2) << 3);
    }
}

// 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 sub-scales, d. In each half of 128
// columns, byte i of 32 upper ones serves the columns i, i + 32, i + 64, i + 96.
void LoadQ6_K(const std::byte* block, SuperBlock& out) {
  std::memcpy(out.sub_scale, block + 192, 16);
  out.scale = LoadF16(block + 208);
  out.minimum = 0.0f;
  std::memset(out.sub_minimum, 0, sizeof out.sub_minimum);
  for (int half = 0; half < 2; ++half) {
    const std::byte* low = block + 64 * half;
    const std::byte* upper = block + 128 + 32 * half;
    std::int8_t* code = out.code + 128 * half;
    for (int i = 0; i < 32; ++i) {
      const int a = static_cast<int>(low[i]), b = static_cast<int>(low[i + 32]);
      const int bits = static_cast<int>(upper[i]);
      code[i] = static_cast<std::int8_t>(((a & 15) | (bits & 3) << 4) - 32);
      code[i + 32] = static_cast<std::int8_t>(((b & 15) | ((bits >> 2) & 3) << 4) - 32);
      code[i + 64] = static_cast<std::int8_t>(((a >> 4) | ((bits >> 4) & 3) << 4) - 32);
      code[i + 96] = static_cast<std::int8_t>(((b >> 4) | (bits >> 6) << 4) - 32);
    }
  }
}

}  // namespace hadal
