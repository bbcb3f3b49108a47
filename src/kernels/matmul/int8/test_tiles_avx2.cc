// The int8 products on emulated tiles, with the vectors of this level around them.
// clang-format off: each header builds on the ones before it
#include "kernels/matmul/int8/vector_avx2.h"
#include "kernels/matmul/int8/dot_pairs.h"
#include "kernels/matmul/int8/scaled.h"
#include "kernels/matmul/int8/super.h"
#include "kernels/matmul/int8/drive.h"
#include "kernels/matmul/int8/on_tiles.h"
#include "kernels/simd/test_tile.h"
// clang-format on
#include "kernels/matmul/test_tiles.h"

namespace hadal {
namespace {

template <typename Format>
struct EmulatedProduct {
  static void Run(const MatMulJob& job) noexcept { ProductOnTiles<EmulatedTiles, Format>(job); }
};

}  // namespace

void FillInt8EmulatedAvx2(MatMulTable* table) { FillProducts<EmulatedProduct>(table); }

}  // namespace hadal
