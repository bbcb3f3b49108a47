// Products with bf16 activations: BF16 and FP8 block weights in the profile `fast`. ops/matmul.h
// states the order (groups of 32 columns, even and odd chains); all levels give the same bits.
//
// The vector levels keep one output a lane and transpose the weights into lanes. A few rows of
// activations use them as they come; for more, a tile of 32 outputs by at most 128 columns is kept
// widened to f32, even and odd columns apart, while every row passes over it. Matrix tiles take
// pairs of columns as they are transposed (on_tiles.h).
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

// Each fills its entries in and leaves the others alone. The caller has checked that the processor
// has the level.
void FillBf16Ref(MatMulTable* table);
void FillBf16Avx2(MatMulTable* table);
void FillBf16Avx512(MatMulTable* table);
void FillBf16Amx(MatMulTable* table);  // AVX-512 and AMX-BF16; the products alone

}  // namespace hadal
