// The products with bf16 activations on AVX-512 with AMX-BF16. A few rows fill too little of a tile
// and stay with vectors, as do shapes that cut a group.
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
namespace {

template <typename Codes>
void AmxProduct(const MatMulJob& job) noexcept {
  if (job.x.rows >= kFewestTileRows && FitsTiles(job.weight))
    return ProductOnTiles<AmxTiles, Codes>(job);
  MatMulTable vectors;
  FillBf16Avx512(&vectors);
  vectors.fast[static_cast<int>(job.weight.format)](job);
}

}  // namespace

void FillBf16Amx(MatMulTable* table) {
  table->fast[static_cast<int>(WeightFormat::kBF16)] = AmxProduct<Bf16Codes>;
  table->fast[static_cast<int>(WeightFormat::kFp8Block)] = AmxProduct<Fp8Codes>;
}

}  // namespace hadal
