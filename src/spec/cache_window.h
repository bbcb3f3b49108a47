// What a cache part that forgets still has to hold, and where a timeline can be cut for a snapshot.
// architectures.md 4.6, 4.11; docs/architecture.md section 5 ("Memory of a timeline").
#pragma once

#include <cstdint>
#include <limits>
#include <numeric>

#include "base/bytes.h"

namespace hadal {

// Rows that are kept beyond need, so that a timeline can be cut back by so many tokens (drafts)
// without computing anything again.
inline constexpr std::int64_t kRollbackTokens = 64;
// Every stretch of so many tokens leaves a snapshot.
inline constexpr std::int64_t kSnapshotTokens = 8192;
// The same as a multiple of the alignment that snapshots need.
inline std::int64_t SnapshotStretch(std::int64_t alignment) {
  if (alignment >= kSnapshotTokens) return alignment;
  return CeilDiv(kSnapshotTokens, alignment) * alignment;
}

// The next token at position n needs the unfinished group of n (groups of group_tokens from
// position 0 on) and what lies need_tokens - group_tokens before it: a window of w tokens has
// {w, 1}, its own token counted; a compressor of ratio r {r, r}, with overlapping groups {2 r, r}.
struct CacheWindow {
  std::int64_t need_tokens = 0;  // 0: no window, everything is kept
  std::int64_t group_tokens = 1;

  bool operator==(const CacheWindow&) const = default;
  bool bounded() const { return need_tokens > 0; }
  // First row that a timeline of this length needs; `length` itself where it needs none.
  std::int64_t NeedFrom(std::int64_t length) const {
    if (!bounded()) return 0;
    const std::int64_t from = length - length % group_tokens - (need_tokens - group_tokens);
    return from > 0 ? from : 0;
  }
  // First row that it holds, so that it can be cut back by `rollback` tokens.
  std::int64_t HeldFrom(std::int64_t length, std::int64_t rollback) const {
    return NeedFrom(length > rollback ? length - rollback : 0);
  }
};

// Least common multiple of two counts of tokens; saturates.
inline std::int64_t CommonMultiple(std::int64_t a, std::int64_t b) {
  std::int64_t multiple = 0;
  return __builtin_mul_overflow(a / std::gcd(a, b), b, &multiple)
             ? std::numeric_limits<std::int64_t>::max()
             : multiple;
}

}  // namespace hadal
