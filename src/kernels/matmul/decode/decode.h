// Decoding of stored weights to f32, exactly as numeric/formats.h defines it, at each level. Plain
// on purpose, see matmul/kernel.h.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

// out[0 .. count) = columns [first, first + count) of a row; both are multiples of the format's
// block_values.
using DecodeKernel = void (*)(const WeightRows& weight, std::int64_t row, std::int64_t first,
                              std::int64_t count, float* out) noexcept;

// The caller has checked that the processor has the level.
DecodeKernel DecodeRef(WeightFormat format);
DecodeKernel DecodeAvx2(WeightFormat format);
DecodeKernel DecodeAvx512(WeightFormat format);

}  // namespace hadal
