// The int8 products on AVX2.
// clang-format off: each header builds on the ones before it
#include "kernels/matmul/int8/vector_avx2.h"
#include "kernels/matmul/int8/dot_pairs.h"
#include "kernels/matmul/int8/scaled.h"
#include "kernels/matmul/int8/super.h"
#include "kernels/matmul/int8/drive.h"
#include "kernels/matmul/int8/prepare.h"
// clang-format on

namespace hadal {

void FillInt8Avx2(MatMulTable* table) {
  FillProducts<VectorProduct>(table);
  FillPrepare(table);
}

}  // namespace hadal
