// Matmul kernels with int8 activations, and the kernels that turn activations into int8: the
// entries fast[] of every format whose ActivationForm is kInt8x32 or kInt8x256, and prepare[] of
// these two forms. ops/matmul.h states the order; all levels give the same bits.
//
// The vector levels work on tiles: one output row a lane. A tile of a block is loaded transposed
// (four columns of every row in one vector), so that exact integer dots of all rows grow in their
// lanes, and one fused step a block adds them to the accumulators. The same tile serves one row of
// activations or many.
//
//   vector_*.h     what a vector is on this level, in about thirty names
//   dot_*.h        u8 x s8 products: VNNI, or 16-bit multiply and add
//   scaled.h       formats of 32 columns a block: loading a tile, one step
//   super.h        formats of 256 columns a block: the same
//   drive.h        the loops over tiles, blocks and rows
//   on_tiles.h     the same for many rows, with dots on matrix tiles
//   prepare.h      activations to int8
// These are only included by the files that carry a level in their name (and its compiler flags);
// everything in them is in an unnamed namespace.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

// Each fills its entries in and leaves the others alone. The caller has checked that the processor
// has the level.
void FillInt8Ref(MatMulTable* table);
void FillInt8Avx2(MatMulTable* table);        // AVX2, FMA, F16C
void FillInt8Avx512(MatMulTable* table);      // AVX-512 F, BW, DQ, VL
void FillInt8Avx512Vnni(MatMulTable* table);  // the same and VNNI
void FillInt8Amx(MatMulTable* table);         // the same and AMX-INT8; the products alone

}  // namespace hadal
