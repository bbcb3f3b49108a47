#include "kernels/matmul/float/float.h"
// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx2.h"
#include "kernels/simd/dot.h"
#include "kernels/simd/outer.h"
#include "kernels/matmul/decode/decode.h"
// clang-format on

namespace hadal {
namespace {

DecodeKernel DecodeWide(WeightFormat format) { return DecodeAvx2(format); }

}  // namespace
}  // namespace hadal

#include "kernels/matmul/float/wide.h"

namespace hadal {

void FillFloatAvx2(MatMulTable* table) { FillFloatWide(table); }

}  // namespace hadal
