#include "kernels/matmul/bf16/bf16.h"
// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx512.h"
#include "kernels/matmul/bf16/pairs_avx512.h"
#include "kernels/matmul/bf16/tile.h"
#include "kernels/matmul/bf16/scales.h"
#include "kernels/matmul/bf16/wide.h"
// clang-format on

namespace hadal {

void FillBf16Avx512(MatMulTable* table) { FillBf16Wide(table); }

}  // namespace hadal
