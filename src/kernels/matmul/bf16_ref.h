// Reference kernels for bf16 activations: BF16 and FP8 block weights in the profile `fast`.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

void FillBf16Ref(MatMulTable* table);

}  // namespace hadal
