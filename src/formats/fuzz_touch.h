// What the fuzz targets of the readers do with a header that was accepted: trust it.
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "tensor/tensor_info.h"

namespace hadal {

// Reads the first and the last byte of every tensor, as a loader would; a sanitizer sees a place
// outside the file.
inline void TouchTensors(std::span<const TensorInfo> tensors, ByteSpan file) {
  unsigned sum = 0;
  for (const TensorInfo& tensor : tensors) {
    const std::byte* data = file.data() + tensor.offset_bytes;
    sum += std::to_integer<unsigned>(data[0]);
    sum += std::to_integer<unsigned>(data[tensor.size_bytes - 1]);
    HADAL_CHECK(tensor.values() > 0, "an accepted tensor has values");
  }
  volatile unsigned sink = sum;
  (void)sink;
}

// A length that no fuzz input has: the header alone, as if all its data followed.
constexpr std::uint64_t kPretendedFileBytes = 1ull << 40;

}  // namespace hadal
