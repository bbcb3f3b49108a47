// Which numbers an engine computes with (docs/architecture.md section 5).
#pragma once

#include <cstdint>
#include <string_view>

namespace hadal {

// Stored enum: explicit values, append only.
enum class Profile : std::uint8_t { kFloat = 0, kReference = 1, kFast = 2 };

inline std::string_view Name(Profile profile) {
  constexpr std::string_view kNames[] = {"float", "reference", "fast"};
  return kNames[static_cast<std::uint8_t>(profile)];
}

}  // namespace hadal
