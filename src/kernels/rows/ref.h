#pragma once

#include "kernels/rows/kernel.h"

namespace hadal {

void FillRowsRef(RowTable* table);

}  // namespace hadal
