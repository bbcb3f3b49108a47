// The int8 products on AVX-512 with AMX-INT8. A few rows fill too little of a tile and stay with
// VNNI.
// clang-format off: each header builds on the ones before it
#include "kernels/matmul/int8/vector_avx512.h"
#include "kernels/matmul/int8/dot_pairs.h"
#include "kernels/matmul/int8/scaled.h"
#include "kernels/matmul/int8/super.h"
#include "kernels/matmul/int8/drive.h"
#include "kernels/matmul/int8/on_tiles.h"
#include "kernels/simd/tile_amx.h"
// clang-format on

namespace hadal {
namespace {

const MatMulTable& Vectors() {
  static const MatMulTable table = [] {
    MatMulTable filled;
    FillInt8Avx512Vnni(&filled);
    return filled;
  }();
  return table;
}

template <typename Format>
struct AmxProduct {
  static void Run(const MatMulJob& job) noexcept {
    if (job.x.rows >= kFewestTileRows) return ProductOnTiles<AmxTiles, Format>(job);
    Vectors().fast[static_cast<int>(job.weight.format)](job);
  }
};

}  // namespace

void FillInt8Amx(MatMulTable* table) { FillProducts<AmxProduct>(table); }

}  // namespace hadal
