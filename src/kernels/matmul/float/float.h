// Products with f32 activations: every format in the profile `float`, F32 and F16 in `fast`,
// transposed weights in both. ops/matmul.h states the orders; all levels give the same bits.
//
// Rows of weights are decoded to f32 a tile at a time (decode/decode.h), once for all rows of
// activations that share the tile; then dot.h or outer.h multiply.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

// Each fills its entries in and leaves the others alone. The caller has checked that the processor
// has the level.
void FillFloatRef(MatMulTable* table);
void FillFloatAvx2(MatMulTable* table);
void FillFloatAvx512(MatMulTable* table);

}  // namespace hadal
