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
namespace {

template <typename Codes>
void EmulatedProduct(const MatMulJob& job) noexcept {
  if (FitsTiles(job.weight)) return ProductOnTiles<EmulatedTiles, Codes>(job);
  MatMulTable vectors;
  FillBf16Avx2(&vectors);
  vectors.fast[static_cast<int>(job.weight.format)](job);
}

}  // namespace

void FillBf16EmulatedAvx2(MatMulTable* table) {
  table->fast[static_cast<int>(WeightFormat::kBF16)] = EmulatedProduct<Bf16Codes>;
  table->fast[static_cast<int>(WeightFormat::kFp8Block)] = EmulatedProduct<Fp8Codes>;
}

}  // namespace hadal
