// The products with bf16 activations on emulated tiles, with the vectors of this level around them.
#include "kernels/matmul/bf16/bf16.h"
// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx2.h"
#include "kernels/matmul/bf16/pairs_avx2.h"
#include "kernels/matmul/bf16/tile.h"
#include "kernels/matmul/bf16/scales.h"
#include "kernels/matmul/bf16/on_tiles.h"
#include "kernels/simd/test_tile.h"
// clang-format on
#include "kernels/matmul/test_tiles.h"

namespace hadal {

void FillBf16EmulatedAvx2(MatMulTable* table) {
  TilesOrVectors<EmulatedTiles, 1, FillBf16Avx2>::Fill(table);
}

}  // namespace hadal
