#include "cache/prefix_tree.h"

#include <algorithm>
#include <utility>

namespace hadal {

namespace {

TokenTree::Ids First(TokenTree::Ids ids, std::int64_t count) {
  return ids.first(static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, std::ssize(ids))));
}

}  // namespace

std::string_view PrefixMissName(PrefixMiss miss) {
  switch (miss) {
    case PrefixMiss::kNone:
      return "none";
    case PrefixMiss::kEmpty:
      return "empty";
    case PrefixMiss::kOtherSpace:
      return "other_space";
    case PrefixMiss::kDiverged:
      return "diverged";
    case PrefixMiss::kNewTokens:
      return "new_tokens";
    case PrefixMiss::kEvicted:
      return "evicted";
    case PrefixMiss::kWindowForgot:
      return "window_forgot";
  }
  CheckFailed(__FILE__, __LINE__, "miss", "a miss outside its enum");
}

PrefixTree::Space& PrefixTree::SpaceOf(std::string_view name) {
  const auto found = spaces_.find(name);
  if (found != spaces_.end()) return *found->second;
  std::unique_ptr<Space>& space = spaces_[std::string(name)];
  space = std::make_unique<Space>();
  space->name = name;
  return *space;
}

ReachOf PrefixTree::ReachOfEntries() const {
  return [this](std::uint64_t number) -> const CacheReach& { return entries_.at(number).reach; };
}

PrefixMiss PrefixTree::MissOf(const BestPrefix& best, std::int64_t gone_tokens, const Space* space,
                              std::int64_t asked) const {
  if (best.usable_tokens >= asked - options_.tied_tokens) return PrefixMiss::kNone;
  if (gone_tokens > best.common_tokens) return PrefixMiss::kEvicted;
  if (best.usable_tokens < best.common_tokens - options_.tied_tokens)
    return PrefixMiss::kWindowForgot;
  if (space == nullptr || space->snapshots == 0)
    return stats_.snapshots == 0 ? PrefixMiss::kEmpty : PrefixMiss::kOtherSpace;
  return best.ended ? PrefixMiss::kNewTokens : PrefixMiss::kDiverged;
}

PrefixMatch PrefixTree::Longest(std::string_view space_name, std::span<const std::int32_t> ids,
                                std::int64_t most_tokens) {
  ids = First(ids, most_tokens);
  const auto found = spaces_.find(space_name);
  const Space* space = found == spaces_.end() ? nullptr : found->second.get();
  BestPrefix best;
  std::int64_t gone_tokens = 0;  // shared with one that was evicted
  if (space != nullptr) {
    best = FindBestPrefix(space->live, ids, options_.tied_tokens, ReachOfEntries());
    space->gone.Walk(ids, [&gone_tokens](std::uint64_t, std::int64_t common) {
      gone_tokens = common;
      return false;
    });
  }
  PrefixMatch match;
  match.usable_tokens = best.usable_tokens;
  match.common_tokens = best.common_tokens;
  match.miss = MissOf(best, gone_tokens, space, std::ssize(ids));
  if (alignment_ > 0) {
    const std::int64_t place = std::max(best.common_tokens, gone_tokens) / alignment_ * alignment_;
    if (place > best.usable_tokens) match.wanted_snapshot = place;
  }
  if (best.usable_tokens == 0) return match;
  match.snapshot = entries_.at(best.number).snapshot;
  Use(best.number);
  return match;
}

bool PrefixTree::Insert(std::string_view space_name,
                        std::shared_ptr<const CacheSnapshot> snapshot) {
  if (snapshot->length() == 0) return false;
  std::uint64_t bytes = 0;
  for (const std::uint32_t page : snapshot->Pages()) bytes += pool_->Bytes(page);
  if (options_.budget_bytes != 0 && bytes > options_.budget_bytes) return false;
  Space& space = SpaceOf(space_name);
  if (!DropCovered(&space, *snapshot)) return true;
  space.live.Walk(snapshot->ids(), [&](std::uint64_t number, std::int64_t common) {
    if (common > options_.tied_tokens)
      snapshot =
          snapshot->SharingPrefix(*entries_.at(number).snapshot, common - options_.tied_tokens);
    return false;
  });
  const std::uint64_t number = next_++;
  alignment_ = snapshot->layout().snapshot_alignment;
  if (const std::uint64_t gone = space.gone.Remove(snapshot->ids()); gone != 0) ForgetGone(gone);
  HADAL_CHECK(space.live.Put(snapshot->ids(), number) == 0, "a prefix stored twice");
  Hold(*snapshot, 1);
  Entry& entry = entries_[number];
  entry = {&space, std::move(snapshot), {}, 0};
  entry.reach = entry.snapshot->Reach();
  ++space.snapshots;
  ++stats_.snapshots;
  ++stats_.inserted;
  stats_.spaces = std::ssize(spaces_);
  Use(number);
  while (options_.budget_bytes != 0 && stats_.held_bytes > options_.budget_bytes) EvictOne();
  return true;
}

// Drops what the snapshot serves as well. False: another one serves all that it would.
bool PrefixTree::DropCovered(Space* space, const CacheSnapshot& snapshot) {
  const CoveredPrefixes found =
      FindCovered(space->live, snapshot.ids(), snapshot.Reach(), ReachOfEntries());
  if (found.covering != 0) {
    Use(found.covering);
    return false;
  }
  for (const std::uint64_t number : found.covered) Drop(number);
  return true;
}

void PrefixTree::Use(std::uint64_t number) {
  std::uint64_t& used = entries_.at(number).used;
  if (used != 0) by_use_.erase(used);
  used = next_++;
  by_use_[used] = number;
}

void PrefixTree::Hold(const CacheSnapshot& snapshot, int change) {
  for (const std::uint32_t page : snapshot.Pages()) {
    if (page_holders_.size() <= page) page_holders_.resize(page + 1, 0);
    if (page_holders_[page] == 0) stats_.held_bytes += pool_->Bytes(page);
    page_holders_[page] += change;
    if (page_holders_[page] == 0) stats_.held_bytes -= pool_->Bytes(page);
  }
}

bool PrefixTree::EvictOne() {
  if (by_use_.empty()) return false;
  const std::uint64_t number = by_use_.begin()->second;
  const Entry& entry = entries_.at(number);
  Space* space = entry.space;
  Remember(space, entry.snapshot->ids());
  ++stats_.evicted;
  Drop(number);
  DropIfEmpty(space);
  return true;
}

void PrefixTree::Drop(std::uint64_t number) {
  const auto found = entries_.find(number);
  Entry& entry = found->second;
  entry.space->live.Remove(entry.snapshot->ids());
  by_use_.erase(entry.used);
  Hold(*entry.snapshot, -1);
  --entry.space->snapshots;
  --stats_.snapshots;
  entries_.erase(found);
}

void PrefixTree::Remember(Space* space, std::span<const std::int32_t> ids) {
  const std::uint64_t number = next_++;
  if (const std::uint64_t before = space->gone.Put(ids, number); before != 0) {
    gone_[number] = std::move(gone_.at(before));
    gone_.erase(before);
  } else {
    gone_[number] = {space, {ids.begin(), ids.end()}};
    remembered_tokens_ += std::ssize(ids);
  }
  while (remembered_tokens_ > options_.remembered_tokens) {
    const Gone& oldest = gone_.begin()->second;
    oldest.space->gone.Remove(oldest.ids);
    Space* space_of = oldest.space;
    ForgetGone(gone_.begin()->first);
    DropIfEmpty(space_of);
  }
}

// A space that only had visitors takes no memory.
void PrefixTree::DropIfEmpty(Space* space) {
  if (space->live.empty() && space->gone.empty()) spaces_.erase(spaces_.find(space->name));
  stats_.spaces = std::ssize(spaces_);
}

void PrefixTree::ForgetGone(std::uint64_t number) {
  const auto found = gone_.find(number);
  remembered_tokens_ -= std::ssize(found->second.ids);
  gone_.erase(found);
}

void PrefixTree::Forget(std::string_view space_name) {
  const auto found = spaces_.find(space_name);
  if (found == spaces_.end()) return;
  Space* space = found->second.get();
  for (auto one = entries_.begin(); one != entries_.end();) {
    const std::uint64_t number = one->first;
    const bool inside = one++->second.space == space;
    if (inside) Drop(number);
  }
  for (auto one = gone_.begin(); one != gone_.end();) {
    const std::uint64_t number = one->first;
    const bool inside = one++->second.space == space;
    if (inside) ForgetGone(number);
  }
  spaces_.erase(found);
  stats_.spaces = std::ssize(spaces_);
}

}  // namespace hadal
