// Decoding of stored weights to f32, exactly as numeric/formats.h defines it. Plain on purpose, see
// matmul/kernel.h.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

// out[0 .. count) = columns [first, first + count) of a row; both are multiples of the format's
// block_values.
using DecodeKernel = void (*)(const WeightRows& weight, std::int64_t row, std::int64_t first,
                              std::int64_t count, float* out) noexcept;

struct DecodeTable {
  DecodeKernel row[kWeightFormats];  // by WeightFormat
};

void FillDecodeRef(DecodeTable* table);

}  // namespace hadal
