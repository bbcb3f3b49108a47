// Prefixes: what requests leave for those that begin as they did, in memory and on disk, as the
// loop uses it.
//
// The loop's thread alone, as everything that holds pages; reading and writing files happens beside
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cache/prefix_tree.h"
#include "engine/prefix_worker.h"
#include "hadal/counters.h"
#include "model/model.h"

namespace hadal {

struct PrefixOptions {
  std::uint64_t memory_bytes = 0;              // of pages; 0: nothing is kept
  std::shared_ptr<PrefixDisk> disk = nullptr;  // null: none
  std::uint64_t disk_bytes = 0;                // its quota, for the counters
};

class Prefixes {
 public:
  // The model outlives the object. `tied_tokens`: as in PrefixTreeOptions. `wake` is called, on any
  // thread, when Advance has something to do.
  Prefixes(Model* model, const PrefixOptions& options, std::int64_t tied_tokens,
           std::function<void()> wake);

  struct Start {
    std::int64_t cached_tokens = 0;    // rows that the timeline has now
    std::int64_t replayed_tokens = 0;  // known beyond them, but for a window
    std::int64_t snapshot_at = 0;      // a length at which Keep should be called; 0: none
  };
  // Gives an empty timeline the longest known beginning of `ids`, at most `most_tokens` of them.
  Start Begin(const std::string& space, std::span<const std::int32_t> ids, std::int64_t most_tokens,
              SequenceCache* cache);

  enum class Until { kMemoryNeedsIt, kRestart };
  // Keeps what the timeline knows, for its space; kRestart: on disk too, where there is one.
  void Keep(const std::string& space, const SequenceCache& cache, Until until);
  // Forgets all of a space: something in it is not to be trusted.
  void Forget(const std::string& space);

  // True where the disk knows clearly more of `ids` than memory does: it is being read, and Advance
  // names the request once Begin will find it.
  bool Load(std::uint64_t request, const std::string& space, std::span<const std::int32_t> ids,
            std::int64_t most_tokens);
  // Goes on with what is being read, a bounded part a call; the requests that need not wait any
  // longer, whatever came of it.
  std::vector<std::uint64_t> Advance();
  // Whether Advance should be called without a wake.
  bool busy() const;

  // Gives memory back until at most `bytes` are held.
  void ShrinkTo(std::uint64_t bytes);
  std::uint64_t held_bytes() const { return tree_.stats().held_bytes; }

  void Count(EngineCounters::Prefixes* to) const;

 private:
  // A file on its way into the tree.
  struct Loading {
    DiskMatch match;
    std::string space;
    std::vector<std::uint64_t> requests;
    std::unique_ptr<SnapshotAdoption> adoption = nullptr;  // null: not read yet
  };
  std::vector<std::uint64_t> Drop(std::list<Loading>::iterator loading);

  PrefixOptions options_;
  PagePool* pool_;
  std::shared_ptr<const CacheLayout> layout_;
  PrefixTree tree_;
  std::map<std::string, std::int64_t> reasons_;
  EngineCounters::Prefixes counted_;  // lookups alone
  std::list<Loading> loading_;
  std::unique_ptr<PrefixWorker> worker_;  // null: no disk
};

}  // namespace hadal
