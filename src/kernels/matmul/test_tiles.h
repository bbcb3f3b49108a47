// The products of level `amx` on emulated tiles (simd/test_tile.h), for tests: the code that runs
// there, any number of rows on tiles, with vectors that more processors have. Not in any level that
// a program chooses.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

// Each fills its products in. The caller has checked that the processor has the level.
void FillInt8EmulatedAvx2(MatMulTable* table);
void FillInt8EmulatedAvx512(MatMulTable* table);
void FillBf16EmulatedAvx2(MatMulTable* table);
void FillBf16EmulatedAvx512(MatMulTable* table);

}  // namespace hadal
