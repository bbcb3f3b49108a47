// From Views of host memory to addresses. Nothing outside `kernels` does this for the CPU.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "tensor/view.h"

namespace hadal {

template <typename T>
T* Address(const View& view) {
  HADAL_DCHECK(view.space.host() && !view.empty(), "not a view of host memory");
  return reinterpret_cast<T*>(view.handle + view.offset_bytes);
}

// A matrix of f32 rows: address, extent, distance from row to row.
struct HostRows {
  float* data = nullptr;
  std::int64_t rows = 0, columns = 0, stride = 0;

  float* Row(std::int64_t row) const { return data + row * stride; }
};

inline HostRows RowsOf(const View& view) {
  HADAL_CHECK(view.rank == 2 && view.dtype == DType::kF32 && view.strides[1] == 1,
              "a matrix of f32 rows is wanted");
  return {Address<float>(view), view.shape[0], view.shape[1], view.strides[0]};
}

}  // namespace hadal
