// What the tree in memory and the index of the disk tier look for among stored prefixes: the best
// start for a prompt, and which of them a new one makes needless.
//
// Pure functions of the tree; thread-compatible as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "cache/cache_reach.h"
#include "cache/token_tree.h"

namespace hadal {

// The reach of what is stored under a number.
using ReachOf = std::function<const CacheReach&(std::uint64_t number)>;

struct BestPrefix {
  std::uint64_t number = 0;  // 0: none is usable
  std::int64_t usable_tokens = 0;
  std::int64_t common_tokens = 0;  // with any
  bool ended = false;              // one ends where the common prefix does
};

// The last `tied_tokens` tokens of a common prefix do not count (PrefixTreeOptions).
BestPrefix FindBestPrefix(const TokenTree& tree, TokenTree::Ids ids, std::int64_t tied_tokens,
                          const ReachOf& reach_of);

struct CoveredPrefixes {
  std::uint64_t covering = 0;          // serves all that the new one would; 0: none does
  std::vector<std::uint64_t> covered;  // serve nothing that the new one would not
};
CoveredPrefixes FindCovered(const TokenTree& tree, TokenTree::Ids ids, const CacheReach& reach,
                            const ReachOf& reach_of);

}  // namespace hadal
