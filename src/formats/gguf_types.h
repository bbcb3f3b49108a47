// The numbers by which GGUF files name number formats (ggml.h, enum ggml_type).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "numeric/dtype.h"

namespace hadal {

// kUnsupported with the format's name where it is known and not read, kUnusable where the number
// means nothing. `where` names the tensor.
Result<DType> DTypeOfGgml(std::uint32_t number, const std::string& where);

// The number that a writer stores; our own plain types without one (FP8, E8M0, BOOL, U8) have none.
std::optional<std::uint32_t> GgmlOfDType(DType dtype);

}  // namespace hadal
