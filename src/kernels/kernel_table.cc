#include "kernels/kernel_table.h"

#include "kernels/attention/ref.h"
#include "kernels/matmul/bf16_ref.h"
#include "kernels/matmul/float_ref.h"
#include "kernels/matmul/int8/int8.h"
#include "kernels/rows/ref.h"

namespace hadal {

KernelTable MakeKernelTable(CpuLevel level) {
  KernelTable table;
  FillFloatRef(&table.matmul);
  FillBf16Ref(&table.matmul);
  FillInt8Ref(&table.matmul);
  FillDecodeRef(&table.decode);
  FillRowsRef(&table.rows);
  FillAttentionRef(&table.attention);
  FillWideKernels(level, &table);
  return table;
}

}  // namespace hadal
