// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx2.h"
#include "kernels/simd/fp8_avx2.h"
#include "kernels/matmul/decode/wide.h"
// clang-format on

namespace hadal {

DecodeKernel DecodeAvx2(WeightFormat format) { return DecodeWide(format); }

}  // namespace hadal
