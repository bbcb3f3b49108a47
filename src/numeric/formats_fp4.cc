// FP4 E2M1 with block scales: MXFP4 (GGUF blocks and V4's split tensors) and NVFP4.
#include <algorithm>
#include <array>
#include <cmath>

#include "numeric/formats.h"
#include "numeric/formats_encode.h"

namespace hadal {
namespace {

// Twice the E2M1 value of a nibble: 0, 1, 2, 3, 4, 6, 8, 12 and their negatives. No table, so that
// compilers turn loops over it into vectors: steps of 1, beyond 4 of 2, beyond 6 of 4.
std::int8_t Doubled(std::uint8_t nibble) {
  const std::uint8_t m = nibble & 7;
  const std::uint8_t beyond4 = m > 4 ? m - 4 : 0;
  const std::uint8_t beyond6 = m > 6 ? m - 6 : 0;
  const auto magnitude = static_cast<std::int8_t>(m + beyond4 + 2 * beyond6);
  const auto sign = static_cast<std::int8_t>(nibble > 7 ? -1 : 0);
  return static_cast<std::int8_t>((magnitude ^ sign) - sign);
}

constexpr std::array<float, 256> HalfE4m3() {
  std::array<float, 256> values{};
  for (std::size_t code = 0; code < 256; ++code) {
    const float value = E4m3ToF32(static_cast<std::uint8_t>(code));
    values[code] = value == value ? 0.5f * value : value;  // constants compute with no NaN
  }
  return values;
}
constexpr std::array<float, 256> kHalfE4m3 = HalfE4m3();

// Codes 2j and 2j + 1 in byte j, low nibble first.
void UnpackPairs(const std::byte* packed, std::int8_t* code) {
  for (int i = 0; i < 16; ++i) {
    const auto byte = static_cast<std::uint8_t>(packed[i]);
    code[2 * i] = Doubled(byte & 15);
    code[2 * i + 1] = Doubled(static_cast<std::uint8_t>(byte >> 4));
  }
}

float Largest(const float* values, int count) {
  float largest = 0.0f;
  for (int i = 0; i < count; ++i) largest = std::max(largest, std::fabs(values[i]));
  return largest;
}

// The smallest power of two under which none of 32 values is clipped: the rule of the V4 release
// for activations (2^ceil(log2(a * fp32(1/6))), a at least 6 * 2^-126).
std::uint8_t ScaleOf(const float* values) {
  return F32ToE8m0Up(std::max(Largest(values, 32), 6.0f * 0x1p-126f) * (1.0f / 6.0f));
}

std::uint8_t EncodeWith(float scale, float value) { return F32ToE2m1(value / scale); }

std::byte Pack(std::uint8_t low, std::uint8_t high) {
  return static_cast<std::byte>(low | high << 4);
}

}  // namespace

void LoadGgufMxfp4(const std::byte* block, ScaledBlock& out) {
  const auto exponent = static_cast<std::uint32_t>(block[0]);
  // 2^(exponent - 128): the exponent of the format, less the doubling of the codes.
  const float scale =
      std::bit_cast<float>(exponent < 2 ? 0x0020'0000u << exponent : (exponent - 1) << 23);
  out.scale[0] = out.scale[1] = scale;
  out.minimum = 0.0f;
  for (int i = 0; i < 16; ++i) {
    const auto byte = static_cast<std::uint8_t>(block[1 + i]);
    out.code[i] = Doubled(byte & 15);
    out.code[i + 16] = Doubled(static_cast<std::uint8_t>(byte >> 4));
  }
}

void LoadMxfp4(const std::byte* codes, const std::byte* scale, ScaledBlock& out) {
  out.scale[0] = out.scale[1] = 0.5f * E8m0ToF32(static_cast<std::uint8_t>(*scale));
  out.minimum = 0.0f;
  UnpackPairs(codes, out.code);
}

void LoadNvfp4(const std::byte* codes, const std::byte* scales, float global_scale,
               ScaledBlock& out) {
  // Halving first is exact (no E4M3 value is that small), so the product is rounded once.
  for (int half = 0; half < 2; ++half)
    out.scale[half] = kHalfE4m3[static_cast<std::size_t>(scales[half])] * global_scale;
  out.minimum = 0.0f;
  UnpackPairs(codes, out.code);
}

void EncodeGgufMxfp4(const float* values, std::byte* block) {
  const std::uint8_t code = ScaleOf(values);
  const float scale = E8m0ToF32(code);
  block[0] = static_cast<std::byte>(code);
  for (int i = 0; i < 16; ++i)
    block[1 + i] = Pack(EncodeWith(scale, values[i]), EncodeWith(scale, values[i + 16]));
}

void EncodeMxfp4Row(const float* values, std::int64_t columns, std::byte* codes,
                    std::byte* scales) {
  for (std::int64_t first = 0; first < columns; first += 32, values += 32, codes += 16) {
    const std::uint8_t code = ScaleOf(values);
    const float scale = E8m0ToF32(code);
    *scales++ = static_cast<std::byte>(code);
    for (int i = 0; i < 16; ++i)
      codes[i] = Pack(EncodeWith(scale, values[2 * i]), EncodeWith(scale, values[2 * i + 1]));
  }
}

void EncodeNvfp4Row(const float* values, std::int64_t columns, float global_scale, std::byte* codes,
                    std::byte* scales) {
  for (std::int64_t first = 0; first < columns; first += 16, values += 16, codes += 8) {
    // A block whose scale rounds to zero keeps the smallest one: its values become small, not NaN.
    const std::uint8_t code =
        std::max<std::uint8_t>(1, F32ToE4m3(Largest(values, 16) / 6.0f / global_scale));
    const float scale = E4m3ToF32(code) * global_scale;
    *scales++ = static_cast<std::byte>(code);
    for (int i = 0; i < 8; ++i)
      codes[i] = Pack(EncodeWith(scale, values[2 * i]), EncodeWith(scale, values[2 * i + 1]));
  }
}

float Nvfp4GlobalScale(float largest) { return std::max(largest, 0x1p-100f) / (6.0f * 448.0f); }

}  // namespace hadal
