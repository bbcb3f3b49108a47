#include "cache/cache_reach.h"

#include <algorithm>

namespace hadal {

void CacheReach::Add(const HeldWindow& held) {
  if (held.window.bounded() && std::find(windows.begin(), windows.end(), held) == windows.end())
    windows.push_back(held);
}

std::int64_t CacheReach::Usable(std::int64_t tokens) const {
  if (std::all_of(windows.begin(), windows.end(),
                  [tokens](const HeldWindow& held) { return held.Holds(tokens); }))
    return tokens;
  const auto after = std::upper_bound(moments.begin(), moments.end(), tokens);
  return after == moments.begin() ? 0 : *std::prev(after);
}

bool CacheReach::Covers(const CacheReach& other) const {
  if (other.length > length) return false;
  if (windows.empty()) return true;
  // What a window allows freely is a short range at the end (the rollback); beyond it only moments.
  for (std::int64_t at = other.length; at > 0 && other.Usable(at) == at; --at)
    if (Usable(at) != at) return false;
  return std::all_of(other.moments.begin(), other.moments.end(),
                     [this](std::int64_t at) { return Usable(at) == at; });
}

}  // namespace hadal
