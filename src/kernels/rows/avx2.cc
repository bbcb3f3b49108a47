// clang-format off: each header builds on the ones before it
#include "kernels/simd/part_avx2.h"
#include "kernels/rows/wide.h"
// clang-format on

#include "kernels/rows/rows.h"

namespace hadal {

void FillRowsAvx2(RowTable* table) { FillRowsWide(table); }

}  // namespace hadal
