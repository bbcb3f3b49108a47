// Prefixes: what finished requests leave for those that begin as they did, as the loop uses it.
//
// The loop's thread alone, as everything that holds pages.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "cache/prefix_tree.h"
#include "hadal/counters.h"
#include "model/model.h"

namespace hadal {

struct PrefixOptions {
  std::uint64_t memory_bytes = 0;  // of pages; 0: nothing is kept
  std::int64_t tied_tokens = 0;    // PrefixTreeOptions
};

class Prefixes {
 public:
  // The model outlives the object.
  Prefixes(Model* model, const PrefixOptions& options);

  struct Start {
    std::int64_t cached_tokens = 0;    // rows that the timeline has now
    std::int64_t replayed_tokens = 0;  // known beyond them, but for a window
    std::int64_t snapshot_at = 0;      // a length at which Keep should be called; 0: none
  };
  // Gives an empty timeline the longest known beginning of `ids`, at most `most_tokens` of them.
  Start Begin(const std::string& space, std::span<const std::int32_t> ids, std::int64_t most_tokens,
              SequenceCache* cache);
  // Keeps what the timeline knows, for its space.
  void Keep(const std::string& space, const SequenceCache& cache);
  // Forgets all of a space: something in it is not to be trusted.
  void Forget(const std::string& space);

  // Gives memory back until at most `bytes` are held.
  void ShrinkTo(std::uint64_t bytes);
  std::uint64_t held_bytes() const { return tree_.stats().held_bytes; }

  void Count(EngineCounters::Prefixes* to) const;

 private:
  PrefixOptions options_;
  PrefixTree tree_;
  std::map<std::string, std::int64_t> reasons_;
};

}  // namespace hadal
