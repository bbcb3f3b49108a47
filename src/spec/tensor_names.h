// How each role is called in each layout. Internal to `spec`.
#pragma once

#include <string>
#include <string_view>

#include "spec/tensor_plan.h"

namespace hadal {

// Three layouts: Hugging Face's names (llama to V3.2), the V4 releases' names, GGUF's names.
enum class NameScheme : std::uint8_t { kHuggingFace, kRelease, kGguf };
NameScheme SchemeOf(const ModelSpec& spec);

// Where a tensor lies; its name is the place's prefix and the role's suffix.
struct Place {
  int layer = -1;  // -1: the whole model
  bool draft = false;
  int draft_index = 0;
};

// The full name, '#' for the number of an expert. Empty where the layout has no such role.
std::string TensorName(NameScheme scheme, Role role, Place place);

}  // namespace hadal
