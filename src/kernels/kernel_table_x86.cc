#include "kernels/attention/attention.h"
#include "kernels/kernel_table.h"
#include "kernels/matmul/bf16/bf16.h"
#include "kernels/matmul/float/float.h"
#include "kernels/matmul/int8/int8.h"
#include "kernels/rows/rows.h"

namespace hadal {

void FillWideKernels(CpuLevel level, KernelTable* table) {
  if (level >= CpuLevel::kAvx2) {
    table->decoder = DecodeAvx2;
    FillFloatAvx2(&table->matmul);
    FillBf16Avx2(&table->matmul);
    FillInt8Avx2(&table->matmul);
    FillRowsAvx2(&table->rows);
    FillAttentionAvx2(&table->attention);
  }
  if (level >= CpuLevel::kAvx512) {
    table->decoder = DecodeAvx512;
    FillFloatAvx512(&table->matmul);
    FillBf16Avx512(&table->matmul);
    FillInt8Avx512(&table->matmul);
    FillRowsAvx512(&table->rows);
    FillAttentionAvx512(&table->attention);
  }
  if (level >= CpuLevel::kAvx512Vnni) FillInt8Avx512Vnni(&table->matmul);
}

}  // namespace hadal
