// Names of models as clients write them.
#pragma once

#include <string_view>

namespace hadal {

// Without the tag ":latest", which every name may have and which says nothing (Ollama).
inline std::string_view BareModelName(std::string_view name) {
  constexpr std::string_view kLatest = ":latest";
  return name.ends_with(kLatest) ? name.substr(0, name.size() - kLatest.size()) : name;
}

}  // namespace hadal
