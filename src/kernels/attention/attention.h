// The attention kernels of each level. The caller has checked that the processor has the level.
#pragma once

#include "kernels/attention/kernel.h"

namespace hadal {

void FillAttentionRef(AttentionTable* table);
void FillAttentionBf16Ref(AttentionTable* table);
void FillAttentionAvx2(AttentionTable* table);
void FillAttentionAvx512(AttentionTable* table);
void FillAttentionAvx512Bf16(AttentionTable* table);  // the bf16 form alone

}  // namespace hadal
