#include "kernels/kernel_table.h"

#include "kernels/attention/attention.h"
#include "kernels/compress/compress.h"
#include "kernels/index/index.h"
#include "kernels/matmul/bf16/bf16.h"
#include "kernels/matmul/float/float.h"
#include "kernels/matmul/int8/int8.h"
#include "kernels/rows/rows.h"

namespace hadal {

KernelTable MakeKernelTable(CpuLevel level) {
  KernelTable table;
  table.decoder = DecodeRef;
  FillFloatRef(&table.matmul);
  FillBf16Ref(&table.matmul);
  FillInt8Ref(&table.matmul);
  FillRowsRef(&table.rows);
  FillAttentionRef(&table.attention);
  FillAttentionBf16Ref(&table.attention);
  FillIndexRef(&table.index);
  FillCompressRef(&table.compress);
  FillWideKernels(level, &table);
  return table;
}

}  // namespace hadal
