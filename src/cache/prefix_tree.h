// PrefixTree: snapshots of timelines, found by the longest prefix of token ids. What one request
// computed is where the next one with the same beginning starts, whatever the cache kinds: at any
// token where all rows are kept, at a moment that was kept where windows forget.
//
// Every prefix belongs to a space (who may use it: key, user, salt), and nothing of one space is
// ever found, or told, in another (CVE-2025-46570: the time of an answer tells a stranger's
// prompt). Ids are compared, never only hashed (CVE-2025-25183).
//
// Memory: pages that snapshots share count once. Over the budget the snapshots that were used
// longest ago go, by a counter, not by a clock. What a newer snapshot serves as well is dropped at
// once.
//
// Thread-compatible, as the pool: the engine's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/prefix_search.h"
#include "cache/sequence_cache.h"
#include "cache/token_tree.h"

namespace hadal {

// Why a prompt could not use more of the cache. Stored and shown: append only.
enum class PrefixMiss : std::uint8_t {
  kNone = 0,          // all that was asked for is there
  kEmpty = 1,         // nothing is stored at all
  kOtherSpace = 2,    // nothing in this space, something in others (their tokens are not looked at)
  kDiverged = 3,      // what is stored goes on with another token
  kNewTokens = 4,     // what is stored ends here, the prompt goes on
  kEvicted = 5,       // more was there and had to go
  kWindowForgot = 6,  // the tokens are there, but windows keep no moment so late
};
std::string_view PrefixMissName(PrefixMiss miss);  // "new_tokens": a label for metrics

struct PrefixMatch {
  std::shared_ptr<const CacheSnapshot> snapshot;  // null where usable_tokens is 0
  // Restore(*snapshot), then Truncate(usable_tokens), which answers with exactly that.
  std::int64_t usable_tokens = 0;
  std::int64_t common_tokens = 0;  // shared with what is stored, at most those asked for
  PrefixMiss miss = PrefixMiss::kEmpty;
  // Where the prompt that is now computed should leave a snapshot, so that the next one with the
  // same beginning starts there: the last aligned place of the common prefix. 0: no need.
  std::int64_t wanted_snapshot = 0;
};

struct PrefixTreeOptions {
  std::uint64_t budget_bytes = 0;  // of pages; 0: no bound
  // Rows that depend on so many ids after their own (drafts): the last of a common prefix do not
  // count as shared.
  std::int64_t tied_tokens = 0;
  // Ids of evicted prefixes that are remembered, to tell an eviction from a prompt never seen; each
  // takes about nine bytes.
  std::int64_t remembered_tokens = 1 << 18;
};

struct PrefixTreeStats {
  std::int64_t snapshots = 0, spaces = 0;
  std::uint64_t held_bytes = 0;  // of different pages
  std::int64_t inserted = 0, evicted = 0;
};

class PrefixTree {
 public:
  // The pool outlives the tree.
  PrefixTree(const PagePool* pool, PrefixTreeOptions options) : pool_(pool), options_(options) {}

  // The best start for the first `most_tokens` of a prompt. Looks at each snapshot of the space at
  // most once. What it returns counts as used.
  PrefixMatch Longest(std::string_view space, std::span<const std::int32_t> ids,
                      std::int64_t most_tokens);

  // Keeps a snapshot. False where it holds nothing, or is larger than the whole budget.
  bool Insert(std::string_view space, std::shared_ptr<const CacheSnapshot> snapshot);

  // Lets the one go that was used longest ago; false where there is none. The pool gets back what
  // nobody else holds.
  bool EvictOne();
  // Forgets a space.
  void Forget(std::string_view space);

  const PrefixTreeStats& stats() const { return stats_; }

 private:
  struct Space {
    std::string name;
    TokenTree live, gone;  // numbers of entries_, of gone_
    std::int64_t snapshots = 0;
  };
  struct Entry {
    Space* space = nullptr;
    std::shared_ptr<const CacheSnapshot> snapshot;
    CacheReach reach;
    std::uint64_t used = 0;
  };
  struct Gone {
    Space* space = nullptr;
    std::vector<std::int32_t> ids;
  };

  Space& SpaceOf(std::string_view name);
  ReachOf ReachOfEntries() const;
  PrefixMiss MissOf(const BestPrefix& best, std::int64_t gone_tokens, const Space* space,
                    std::int64_t asked) const;
  bool DropCovered(Space* space, const CacheSnapshot& snapshot);
  void Use(std::uint64_t number);
  void Hold(const CacheSnapshot& snapshot, int change);
  void Drop(std::uint64_t number);
  void DropIfEmpty(Space* space);
  void Remember(Space* space, std::span<const std::int32_t> ids);
  void ForgetGone(std::uint64_t number);

  const PagePool* pool_;
  PrefixTreeOptions options_;
  std::map<std::string, std::unique_ptr<Space>, std::less<>> spaces_;
  std::map<std::uint64_t, Entry> entries_;         // by the number that the trees store
  std::map<std::uint64_t, Gone> gone_;             // evicted ones that are remembered, oldest first
  std::map<std::uint64_t, std::uint64_t> by_use_;  // counter of the last use to number
  std::vector<std::int32_t> page_holders_;         // snapshots, by page
  std::uint64_t next_ = 1;                         // numbers and uses
  std::int64_t remembered_tokens_ = 0;
  std::int64_t alignment_ = 0;  // of the snapshots' layout
  PrefixTreeStats stats_;
};

}  // namespace hadal
