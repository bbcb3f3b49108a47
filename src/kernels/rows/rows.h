// The row kernels of each level. Each function fills its entries in and leaves the others alone;
// the caller has checked that the processor has the level.
#pragma once

#include "kernels/rows/kernel.h"

namespace hadal {

void FillRowsRef(RowTable* table);
void FillRowsAvx2(RowTable* table);
void FillRowsAvx512(RowTable* table);

}  // namespace hadal
