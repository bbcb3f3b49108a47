// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx512.h"
#include "kernels/rows/wide.h"
// clang-format on

#include "kernels/rows/rows.h"

namespace hadal {

void FillRowsAvx512(RowTable* table) { FillRowsWide(table); }

}  // namespace hadal
