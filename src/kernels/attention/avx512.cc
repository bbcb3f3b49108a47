#include "kernels/attention/attention.h"
// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx512.h"
#include "kernels/simd/dot.h"
#include "kernels/simd/outer.h"
#include "kernels/simd/math.h"
#include "kernels/simd/fp8_avx512.h"
#include "kernels/simd/fp4_avx512.h"
#include "kernels/simd/cached_row.h"
#include "kernels/attention/running.h"
#include "kernels/attention/narrow.h"
#include "kernels/attention/wide.h"
#include "kernels/attention/bf16_halves.h"
// clang-format on

namespace hadal {

void FillAttentionAvx512(AttentionTable* table) {
  table->attend = AttendWide;
  table->attend_bf16 = AttendHalves;
}

}  // namespace hadal
