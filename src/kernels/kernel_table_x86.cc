#include "kernels/attention/attention.h"
#include "kernels/compress/compress.h"
#include "kernels/index/index.h"
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
    FillIndexLanesAvx2(&table->index);
    FillIndexInt8Avx2(&table->index);
    FillCompressAvx2(&table->compress);
  }
  if (level >= CpuLevel::kAvx512) {
    table->decoder = DecodeAvx512;
    FillFloatAvx512(&table->matmul);
    FillBf16Avx512(&table->matmul);
    FillInt8Avx512(&table->matmul);
    FillRowsAvx512(&table->rows);
    FillAttentionAvx512(&table->attention);
    FillIndexLanesAvx512(&table->index);
    FillIndexInt8Avx512(&table->index);
    FillCompressAvx512(&table->compress);
  }
  if (level >= CpuLevel::kAvx512Vnni) {
    FillInt8Avx512Vnni(&table->matmul);
    FillIndexInt8Avx512Vnni(&table->index);
  }
  if (level >= CpuLevel::kAvx512Bf16) FillAttentionAvx512Bf16(&table->attention);
  if (level >= CpuLevel::kAmx) {
    FillInt8Amx(&table->matmul);
    FillBf16Amx(&table->matmul);
  }
}

}  // namespace hadal
