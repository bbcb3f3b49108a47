// In which container a checkpoint came: names of fields, names of tensors and layouts follow from
// it.
#pragma once

#include <cstdint>

namespace hadal {

enum class Container : std::uint8_t { kSafetensors = 0, kGguf = 1 };

}  // namespace hadal
