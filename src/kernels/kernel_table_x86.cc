#include "kernels/kernel_table.h"
#include "kernels/matmul/int8/int8.h"

namespace hadal {

void FillWideKernels(CpuLevel level, KernelTable* table) {
  if (level >= CpuLevel::kAvx2) FillInt8Avx2(&table->matmul);
  if (level >= CpuLevel::kAvx512) FillInt8Avx512(&table->matmul);
  if (level >= CpuLevel::kAvx512Vnni) FillInt8Avx512Vnni(&table->matmul);
}

}  // namespace hadal
