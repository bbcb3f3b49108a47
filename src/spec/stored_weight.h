// How a weight matrix lies in a checkpoint: its codes, and the tensors beside them that hold
// scales. The names of scales differ by release; what is found must fit the matrix in shape and
// dtype.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "numeric/weight_format.h"
#include "tensor/tensor_info.h"

namespace hadal {

// Looks a tensor up by its full name; nullptr where there is none.
using TensorLookup = std::function<const TensorInfo*(std::string_view name)>;

struct StoredWeight {
  WeightFormat format = WeightFormat::kF32;
  const TensorInfo* data = nullptr;
  const TensorInfo* scale = nullptr;         // kFp8Block, kMxfp4, kNvfp4
  const TensorInfo* global_scale = nullptr;  // kNvfp4: one F32
};

// Finds the tensor `name` of logical shape [out, in] (or stacked [n, out, in]) and its scales.
//   F8_E4M3: scale F32, F8_E8M0 or U8 [ceil(out / block), ceil(in / block)], named
//            X_scale_inv, X_scale (X = name) or .scale in place of .weight (DeepSeek V3, V4)
//   I8, U8:  packed FP4 [out, in / 2] with E8M0 scales [out, in / 32] (V4 experts), or with E4M3
//   scales
//            [out, in / 16] and X_scale_2 (NVFP4, NVIDIA ModelOpt)
//   others:  the tensor alone
// Errors: kUnusable for a missing tensor, a wrong shape or a dtype that is no weight.
Result<StoredWeight> FindStoredWeight(const std::string& name,
                                      const std::vector<std::int64_t>& shape, std::int64_t block,
                                      const TensorLookup& find);

}  // namespace hadal
