// The products with bf16 activations on AVX-512 with AMX-BF16.
#include "kernels/matmul/bf16/bf16.h"
// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx512.h"
#include "kernels/matmul/bf16/pairs_avx512.h"
#include "kernels/matmul/bf16/tile.h"
#include "kernels/matmul/bf16/scales.h"
#include "kernels/matmul/bf16/on_tiles.h"
#include "kernels/simd/tile_amx.h"
// clang-format on

namespace hadal {

void FillBf16Amx(MatMulTable* table) {
  TilesOrVectors<AmxTiles, kFewestTileRows, FillBf16Avx512>::Fill(table);
}

}  // namespace hadal
