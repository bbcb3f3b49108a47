// What the bytes of every number format mean: the scalar definition that kernels, readers and tests
// are held to. All rounding is to nearest, ties to even, unless a line says otherwise.
//
// Sources: IEEE 754 (binary16), OCP 8-bit floating point 1.0 (e4m3fn), OCP Microscaling 1.0 (E8M0,
// E2M1, MXFP4), the GGUF block layouts of ggml (values equal those of gguf-py 0.19.0 bit for bit),
// DeepSeek-V3 and V4 releases (block scales), NVIDIA's NVFP4 checkpoints.
//
// Thread contract: pure functions. No address needs any alignment. Nothing here fails: every byte
// pattern has a value (or NaN), every float has a nearest code.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "numeric/dtype.h"
#include "numeric/weight_format.h"

namespace hadal {

// --- Scalars ---------------------------------------------------------------------------------

constexpr float Bf16ToF32(std::uint16_t code) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(code) << 16);
}
constexpr std::uint16_t F32ToBf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFF'FFFFu) > 0x7F80'0000u)  // NaN stays NaN, quiet
    return static_cast<std::uint16_t>((bits >> 16) | 0x0040u);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

// Decoding never meets a subnormal f32, so it does not depend on how the processor treats those;
// and it has no branches, so that compilers can turn loops over it into vectors.
constexpr std::uint32_t Choose(bool first, std::uint32_t a, std::uint32_t b) {
  const std::uint32_t mask = first ? ~0u : 0u;
  return (a & mask) | (b & ~mask);
}
constexpr float F16ToF32(std::uint16_t code) {
  const std::uint32_t magnitude = code & 0x7FFFu;
  const float subnormal = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24f;
  const std::uint32_t rebias = 112u << 23;  // once, and again for infinity and NaN
  const std::uint32_t normal = (magnitude << 13) + rebias + (magnitude >= 0x7C00u ? rebias : 0u);
  const std::uint32_t bits =
      Choose(magnitude < 0x400u, std::bit_cast<std::uint32_t>(subnormal), normal);
  return std::bit_cast<float>(bits | (code & 0x8000u) << 16);
}
std::uint16_t F32ToF16(float value);  // beyond 65504 + half a step: infinity

constexpr float E4m3ToF32(std::uint8_t code) {
  const std::uint32_t magnitude = code & 0x7Fu;
  const float subnormal = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-9f;
  const std::uint32_t normal = (magnitude << 20) + (120u << 23);
  const std::uint32_t finite =
      Choose(magnitude < 8u, std::bit_cast<std::uint32_t>(subnormal), normal);
  const std::uint32_t nan = magnitude == 0x7Fu ? 0x7FC0'0000u : 0u;
  return std::bit_cast<float>(finite | nan | (code & 0x80u) << 24);
}
std::uint8_t F32ToE4m3(float value);  // saturates at 448, infinity too; NaN: 0x7F

constexpr float E8m0ToF32(std::uint8_t code) {
  if (code == 0xFF) return std::bit_cast<float>(0x7FC0'0000u);
  return std::bit_cast<float>(code == 0 ? 0x0040'0000u : static_cast<std::uint32_t>(code) << 23);
}
// The smallest power of two that is not below |value|, between 2^-126 and 2^127; NaN: 0xFF.
std::uint8_t F32ToE8m0Up(float value);

// The low four bits count: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives, -0 included.
constexpr float E2m1ToF32(int code) {
  const int m = code & 7;
  const int doubled = m + (m > 4 ? m - 4 : 0) + (m == 7 ? 2 : 0);
  const float magnitude = static_cast<float>(doubled) * 0.5f;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) |
                              (static_cast<std::uint32_t>(code) & 8u) << 28);
}
std::uint8_t F32ToE2m1(float value);  // saturates at 6; NaN: 0

// --- Blocks as integers ----------------------------------------------------------------------

// 32 columns: value i = scale[i / 16] * code[i] + minimum. The two scales differ in NVFP4 only; the
// minimum is 0 but in Q4_1 and Q5_1. FP4 codes are doubled, so that they are integers, and their
// scales halved.
struct ScaledBlock {
  float scale[2];
  float minimum;
  std::int8_t code[32];
};

// 256 columns: value i = (scale * sub_scale[i / 16]) * code[i] - minimum * sub_minimum[i / 32]. In
// Q4_K and Q5_K neighbours of 16 share a sub-scale; Q6_K has no minimum.
struct SuperBlock {
  float scale;
  float minimum;
  std::int8_t sub_scale[16];
  std::uint8_t sub_minimum[8];
  std::int8_t code[256];
};

// GGUF blocks, named by their dtype.
void LoadQ8_0(const std::byte* block, ScaledBlock& out);
void LoadQ4_0(const std::byte* block, ScaledBlock& out);
void LoadQ4_1(const std::byte* block, ScaledBlock& out);
void LoadQ5_0(const std::byte* block, ScaledBlock& out);
void LoadQ5_1(const std::byte* block, ScaledBlock& out);
void LoadGgufMxfp4(const std::byte* block, ScaledBlock& out);  // 0xFF is 2^128 here, as in ggml
void LoadQ4_K(const std::byte* block, SuperBlock& out);
void LoadQ5_K(const std::byte* block, SuperBlock& out);
void LoadQ6_K(const std::byte* block, SuperBlock& out);
// 32 columns of a row with separate scales: 16 bytes of codes, and one E8M0 or two E4M3 scales.
void LoadMxfp4(const std::byte* codes, const std::byte* scale, ScaledBlock& out);
void LoadNvfp4(const std::byte* codes, const std::byte* scales, float global_scale,
               ScaledBlock& out);

// --- Rows as f32 -----------------------------------------------------------------------------

// One row of a weight of any form.
struct EncodedRow {
  WeightFormat format = WeightFormat::kF32;
  const std::byte* codes = nullptr;
  const std::byte* scales = nullptr;  // kFp8Block, kMxfp4, kNvfp4: the scales of this row
  DType scale_dtype = DType::kF32;    // kFp8Block: F32 or E8M0
  int block = 128;                    // kFp8Block: columns per scale
  float global_scale = 1.0f;          // kNvfp4
};

// out[0 .. columns) = the values of columns [first, first + columns), exactly: where there is a
// scale, code * scale is one f32 product (NVFP4: code * (scale * global), K blocks as above).
// Both numbers are multiples of the format's block_values.
void DecodeRow(const EncodedRow& row, std::int64_t first, std::int64_t columns, float* out);

// --- Encoding --------------------------------------------------------------------------------

// A row into F32, F16, BF16, Q8_0, Q4_0 or MXFP4 (whole blocks; true for these dtypes). Q8_0 and
// Q4_0 choose scale and codes as ggml does; MXFP4 takes the smallest scale that clips nothing.
bool EncodeRow(DType dtype, const float* values, std::int64_t columns, std::byte* out);

// The forms with separate scales. Packed codes: two to a byte, low nibble first.
void EncodeMxfp4Row(const float* values, std::int64_t columns, std::byte* codes, std::byte* scales);
void EncodeNvfp4Row(const float* values, std::int64_t columns, float global_scale, std::byte* codes,
                    std::byte* scales);
// The global scale under which a tensor with this largest magnitude uses the range of its scales.
float Nvfp4GlobalScale(float largest);
// One block of at most `block` x `block` values: its scale (largest / 448, or the next power of two
// above for an E8M0 scale) and its codes.
struct Fp8Tile {
  const float* values = nullptr;  // [rows, columns], row stride value_stride
  std::int64_t value_stride = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::byte* codes = nullptr;  // [rows, columns], row stride code_stride
  std::int64_t code_stride = 0;
};
float EncodeFp8Tile(const Fp8Tile& tile, bool power_of_two_scale);

}  // namespace hadal
