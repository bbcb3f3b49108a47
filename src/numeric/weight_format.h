// The forms in which a weight matrix is stored: one row of the table a form. A form decides how
// codes become numbers (formats.h) and, in the profile `fast`, what the activations are turned into
// before they meet the weights, and in which order products are summed (ops/matmul.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "numeric/dtype.h"

namespace hadal {

// Stored enums: explicit values, append only.
enum class WeightFormat : std::uint8_t {
  kF32 = 0,
  kF16 = 1,
  kBF16 = 2,
  kFp8Block = 3,  // F8_E4M3 codes; scale F32 or E8M0 a block of `block` x `block` (128 x 128 in V3)
  kMxfp4 =
      4,  // packed E2M1 pairs, low nibble first; E8M0 scale per row and 32 columns (V4 experts)
  kNvfp4 = 5,  // packed E2M1 pairs; E4M3 scale per row and 16 columns, times one F32 a tensor
  kQ8_0 = 6,   // from here on GGUF blocks, scales inside the block
  kQ4_0 = 7,
  kQ4_1 = 8,
  kQ5_0 = 9,
  kQ5_1 = 10,
  kQ4_K = 11,
  kQ5_K = 12,
  kQ6_K = 13,
  kGgufMxfp4 = 14,
};

// What `fast` turns a row of activations into (docs/architecture.md section 5).
enum class ActivationForm : std::uint8_t {
  kF32 = 0,      // as they are
  kBF16 = 1,     // rounded to nearest even
  kInt8x32 = 2,  // int8 with one f32 scale per 32 values
  kInt8x256 = 3  // int8 with one f32 scale per 256 values
};

struct WeightFormatInfo {
  WeightFormat format;
  std::string_view name;  // as `inspect` and `bench kernels` print it
  ActivationForm activation;
  int block_values;  // columns must be a multiple of this
};

std::span<const WeightFormatInfo> AllWeightFormats();
const WeightFormatInfo& Info(WeightFormat format);
inline std::string_view Name(WeightFormat format) { return Info(format).name; }

// The form of a tensor that stands alone (no separate scales), by its dtype.
std::optional<WeightFormat> WeightFormatOf(DType dtype);

}  // namespace hadal
