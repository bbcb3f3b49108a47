// The number formats that tensors are stored in, as data: name, values per block, bytes per block.
// What the bytes mean is in formats.h; how sums over them are ordered is in ops/matmul.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hadal {

// Stored enums: explicit values, append only.
enum class DType : std::uint8_t {
  kF32 = 0,
  kF16 = 1,
  kBF16 = 2,
  kF8E4M3 = 3,  // OCP e4m3fn: no infinity, largest 448, NaN 0x7F and 0xFF
  kF8E8M0 = 4,  // one byte b: 2^(b-127); 0xFF is NaN
  kI8 = 5,      // also two packed FP4 E2M1 codes, low nibble first (V4 experts)
  kU8 = 6,      // also two packed FP4 E2M1 codes (NVFP4)
  kI16 = 7,
  kI32 = 8,
  kI64 = 9,
  kBool = 10,
  kF64 = 11,  // expected values only; no weight is stored in it
  // GGUF block types (ggml): a row is a sequence of blocks, each with its own scales.
  kQ8_0 = 20,
  kQ4_0 = 21,
  kQ4_1 = 22,
  kQ5_0 = 23,
  kQ5_1 = 24,
  kQ4_K = 25,
  kQ5_K = 26,
  kQ6_K = 27,
  kMXFP4 = 28,  // ggml's interleaved form: E8M0 byte, then 16 bytes: codes 0..15 low, 16..31 high
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;  // as `inspect` prints it: "F32", "Q4_K"
  int block_values;       // values per block; 1 for plain types
  int block_bytes;
};

// Every dtype, one row each.
std::span<const DTypeInfo> AllDTypes();
const DTypeInfo& Info(DType dtype);
inline std::string_view Name(DType dtype) { return Info(dtype).name; }
std::optional<DType> DTypeByName(std::string_view name);

// Bytes of one row of `values` values; nothing where the row is no whole number of blocks or the
// result does not fit.
std::optional<std::uint64_t> RowBytes(DType dtype, std::uint64_t values);

}  // namespace hadal
