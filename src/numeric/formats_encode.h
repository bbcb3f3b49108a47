// One block each of the GGUF forms that we write; EncodeRow (formats.h) is their face.
#pragma once

#include <cstddef>

namespace hadal {

void EncodeQ8_0(const float* values, std::byte* block);       // 32 values, 34 bytes
void EncodeQ4_0(const float* values, std::byte* block);       // 32 values, 18 bytes
void EncodeGgufMxfp4(const float* values, std::byte* block);  // 32 values, 17 bytes

}  // namespace hadal
