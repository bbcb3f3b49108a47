#include "engine/prefixes.h"

namespace hadal {

Prefixes::Prefixes(Model* model, const PrefixOptions& options)
    : options_(options), tree_(&model->pages(), {options.memory_bytes, options.tied_tokens}) {}

Prefixes::Start Prefixes::Begin(const std::string& space, std::span<const std::int32_t> ids,
                                std::int64_t most_tokens, SequenceCache* cache) {
  const PrefixMatch match = tree_.Longest(space, ids, most_tokens);
  ++reasons_[std::string(PrefixMissName(match.miss))];
  Start start;
  start.snapshot_at = match.wanted_snapshot;
  start.replayed_tokens = match.common_tokens - match.usable_tokens;
  if (match.usable_tokens == 0) return start;
  cache->Restore(*match.snapshot);
  start.cached_tokens = cache->Truncate(match.usable_tokens);
  HADAL_CHECK(start.cached_tokens == match.usable_tokens, "a prefix that is not what it promised");
  return start;
}

void Prefixes::Keep(const std::string& space, const SequenceCache& cache) {
  if (cache.length() > 0) tree_.Insert(space, cache.Snapshot());
}

void Prefixes::Forget(const std::string& space) { tree_.Forget(space); }

void Prefixes::ShrinkTo(std::uint64_t bytes) {
  while (held_bytes() > bytes && tree_.EvictOne()) continue;
}

void Prefixes::Count(EngineCounters::Prefixes* to) const {
  const PrefixTreeStats& stats = tree_.stats();
  to->held_bytes = stats.held_bytes;
  to->budget_bytes = options_.memory_bytes;
  to->held = stats.snapshots;
  to->inserted = stats.inserted;
  to->evicted = stats.evicted;
  to->lookups = stats.lookups;
  to->hits = stats.hits;
  to->asked_tokens = stats.asked_tokens;
  to->hit_tokens = stats.hit_tokens;
  to->reasons.assign(reasons_.begin(), reasons_.end());
}

}  // namespace hadal
