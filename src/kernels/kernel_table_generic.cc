#include "kernels/kernel_table.h"

namespace hadal {

void FillWideKernels(CpuLevel, KernelTable*) {}

}  // namespace hadal
