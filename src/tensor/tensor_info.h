// One named tensor on disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "numeric/dtype.h"

namespace hadal {

struct TensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t>
      shape;     // row-major, the last dimension contiguous: [out, in] for a matrix
  int file = 0;  // index into the checkpoint's files
  std::uint64_t offset_bytes = 0;  // from the start of that file
  std::uint64_t size_bytes = 0;

  std::int64_t values() const {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    return count;
  }
};

// "[2048, 512]"
std::string ShapeText(const std::vector<std::int64_t>& shape);

}  // namespace hadal
