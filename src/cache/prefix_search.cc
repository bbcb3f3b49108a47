#include "cache/prefix_search.h"

#include <utility>

namespace hadal {

BestPrefix FindBestPrefix(const TokenTree& tree, TokenTree::Ids ids, std::int64_t tied_tokens,
                          const ReachOf& reach_of) {
  BestPrefix best;
  bool first = true;
  tree.Walk(ids, [&](std::uint64_t number, std::int64_t common) {
    const CacheReach& reach = reach_of(number);
    if (std::exchange(first, false)) {
      best.common_tokens = common;
      best.ended = common == reach.length;
    }
    const std::int64_t most = common - tied_tokens;
    if (most <= best.usable_tokens) return false;
    const std::int64_t usable = reach.Usable(most);
    if (usable > best.usable_tokens) {
      best.usable_tokens = usable;
      best.number = number;
    }
    return usable < most;
  });
  return best;
}

CoveredPrefixes FindCovered(const TokenTree& tree, TokenTree::Ids ids, const CacheReach& reach,
                            const ReachOf& reach_of) {
  CoveredPrefixes found;
  tree.Walk(ids, [&](std::uint64_t number, std::int64_t common) {
    const CacheReach& other = reach_of(number);
    if (common == reach.length && other.Covers(reach)) {
      found.covering = number;
      return false;
    }
    // Of two with the same tokens the newer stays.
    const bool same = common == other.length && common == reach.length;
    if (same || (common == other.length && reach.Covers(other))) found.covered.push_back(number);
    return true;
  });
  return found;
}

}  // namespace hadal
