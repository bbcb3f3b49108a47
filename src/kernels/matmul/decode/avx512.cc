// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx512.h"
#include "kernels/simd/fp8_avx512.h"
#include "kernels/matmul/decode/wide.h"
// clang-format on

namespace hadal {

DecodeKernel DecodeAvx512(WeightFormat format) { return DecodeWide(format); }

}  // namespace hadal
