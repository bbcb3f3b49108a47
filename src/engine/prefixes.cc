#include "engine/prefixes.h"

#include <algorithm>

namespace hadal {
namespace {

// Shorter beginnings are computed as fast as they are read.
constexpr std::int64_t kWorthAFile = 64;
// Bytes of a file that one call takes into pages: a few milliseconds.
constexpr std::uint64_t kAdoptedBytes = 16u << 20;

}  // namespace

Prefixes::Prefixes(Model* model, const PrefixOptions& options, std::int64_t tied_tokens,
                   std::function<void()> wake)
    : options_(options),
      pool_(&model->pages()),
      layout_(model->NewSequence()->shared_layout()),
      tree_(pool_, {options.memory_bytes, tied_tokens}) {
  if (options_.disk != nullptr)
    worker_ = std::make_unique<PrefixWorker>(options_.disk, std::move(wake));
}

Prefixes::Start Prefixes::Begin(const std::string& space, std::span<const std::int32_t> ids,
                                std::int64_t most_tokens, SequenceCache* cache) {
  const PrefixMatch match = tree_.Longest(space, ids, most_tokens);
  ++reasons_[std::string(PrefixMissName(match.miss))];
  ++counted_.lookups;
  counted_.hits += match.usable_tokens > 0;
  counted_.asked_tokens += most_tokens;
  counted_.hit_tokens += match.usable_tokens;
  Start start;
  start.snapshot_at = match.wanted_snapshot;
  start.replayed_tokens = match.common_tokens - match.usable_tokens;
  if (match.usable_tokens == 0) return start;
  cache->Restore(*match.snapshot);
  start.cached_tokens = cache->Truncate(match.usable_tokens);
  HADAL_CHECK(start.cached_tokens == match.usable_tokens, "a prefix that is not what it promised");
  return start;
}

void Prefixes::Keep(const std::string& space, const SequenceCache& cache, Until until) {
  if (cache.length() == 0) return;
  const auto snapshot = cache.Snapshot();
  tree_.Insert(space, snapshot);
  if (worker_ != nullptr && until == Until::kRestart && cache.length() >= kWorthAFile)
    worker_->Store(std::make_shared<const SnapshotImage>(space, snapshot));
}

void Prefixes::Forget(const std::string& space) {
  tree_.Forget(space);
  if (worker_ == nullptr) return;
  worker_->Drop(&space);
  worker_->disk().Forget(space);
}

bool Prefixes::Load(std::uint64_t request, const std::string& space,
                    std::span<const std::int32_t> ids, std::int64_t most_tokens) {
  if (worker_ == nullptr) return false;
  const DiskMatch match = worker_->disk().Longest(space, ids, most_tokens);
  if (match.file == 0 || match.usable_tokens < kWorthAFile ||
      match.usable_tokens < tree_.Longest(space, ids, most_tokens).usable_tokens + kWorthAFile)
    return false;
  const auto known = std::find_if(loading_.begin(), loading_.end(),
                                  [&](const Loading& one) { return one.match.file == match.file; });
  if (known != loading_.end()) {
    known->requests.push_back(request);
    return true;
  }
  loading_.push_back({match, space, {request}});
  worker_->Load(match);
  return true;
}

std::vector<std::uint64_t> Prefixes::Drop(std::list<Loading>::iterator loading) {
  std::vector<std::uint64_t> requests = std::move(loading->requests);
  loading_.erase(loading);
  return requests;
}

bool Prefixes::busy() const {
  return std::any_of(loading_.begin(), loading_.end(),
                     [](const Loading& one) { return one.adoption != nullptr; });
}

std::vector<std::uint64_t> Prefixes::Advance() {
  if (worker_ == nullptr) return {};
  worker_->FreeDone();
  std::vector<std::uint64_t> ready;
  const auto release = [&](std::list<Loading>::iterator loading) {
    for (const std::uint64_t request : Drop(loading)) ready.push_back(request);
  };
  for (PrefixWorker::Loaded& loaded : worker_->TakeLoaded()) {
    const auto at = std::find_if(loading_.begin(), loading_.end(), [&](const Loading& one) {
      return one.match.file == loaded.match.file;
    });
    if (loaded.snapshot.ok())
      at->adoption =
          std::make_unique<SnapshotAdoption>(*std::move(loaded.snapshot), pool_, layout_);
    else
      release(at);
  }
  const auto at = std::find_if(loading_.begin(), loading_.end(),
                               [](const Loading& one) { return one.adoption != nullptr; });
  if (at == loading_.end()) return ready;
  const Result<bool> whole = at->adoption->Advance(kAdoptedBytes);
  if (whole.ok() && !*whole) return ready;
  if (whole.ok()) tree_.Insert(at->space, at->adoption->Take());
  release(at);
  return ready;
}

void Prefixes::ShrinkTo(std::uint64_t bytes) {
  while (held_bytes() > bytes && tree_.EvictOne()) continue;
  // What waits to be written holds pages as well.
  if (bytes == 0 && worker_ != nullptr) worker_->Drop(nullptr);
}

void Prefixes::Count(EngineCounters::Prefixes* to) const {
  const PrefixTreeStats& stats = tree_.stats();
  *to = counted_;
  to->held_bytes = stats.held_bytes;
  to->budget_bytes = options_.memory_bytes;
  to->held = stats.snapshots;
  to->inserted = stats.inserted;
  to->evicted = stats.evicted;
  to->reasons.assign(reasons_.begin(), reasons_.end());
  if (options_.disk == nullptr) return;
  const PrefixDiskStats disk = options_.disk->stats();
  to->disk = {disk.files,   options_.disk_bytes, disk.bytes,      disk.loaded,
              disk.stored,  disk.written_bytes,  disk.read_bytes, disk.broken,
              disk.refused, disk.failed_writes};
}

}  // namespace hadal
