// The attention kernel of each level. The caller has checked that the processor has the level.
#pragma once

#include "kernels/attention/kernel.h"

namespace hadal {

void FillAttentionRef(AttentionTable* table);
void FillAttentionAvx2(AttentionTable* table);
void FillAttentionAvx512(AttentionTable* table);

}  // namespace hadal
