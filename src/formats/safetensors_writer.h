// The layout of one safetensors file (format: safetensors.h).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/tensor_writer.h"

namespace hadal {

// Orders the tensors by the size of their values, largest first (so that each is aligned without
// holes), otherwise as given, and sets their offsets and sizes. The data begins at a multiple
// of 64. `metadata` becomes `__metadata__`. Only name, dtype and shape of the tensors are read.
// Errors: kUnusable for a name or shape that the reader would refuse, or a block type of GGUF.
Result<TensorFileLayout> SafetensorsLayout(
    std::vector<TensorInfo> tensors,
    std::span<const std::pair<std::string, std::string>> metadata = {});

}  // namespace hadal
