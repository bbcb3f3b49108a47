// Reference kernels for f32 activations: every format in the profile `float`, F32 and F16 in
// `fast`, transposed weights in both.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {

void FillFloatRef(MatMulTable* table);

}  // namespace hadal
