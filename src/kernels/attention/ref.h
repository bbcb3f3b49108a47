#pragma once

#include "kernels/attention/kernel.h"

namespace hadal {

void FillAttentionRef(AttentionTable* table);

}  // namespace hadal
