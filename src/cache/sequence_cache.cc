#include "cache/sequence_cache.h"

#include <algorithm>

namespace hadal {

SequenceCache::SequenceCache(PagePool* pool, std::shared_ptr<const CacheLayout> layout)
    : pool_(pool), layout_(std::move(layout)) {
  for (const CachePartLayout& part : layout_->parts)
    parts_.emplace_back(pool_, part.page_rows, part.page_bytes());
}

std::int64_t SequenceCache::StoreFrom(std::size_t index, std::int64_t tokens) const {
  const CachePartLayout& part = part_layout(index);
  const std::int64_t first = part.rows(length());
  if (!part.tail_only) return first;
  return std::max(first, part.window.HeldFrom(length() + tokens, layout_->rollback_tokens));
}

std::int64_t SequenceCache::StoreFrom(std::size_t index) const {
  return StoreFrom(index, reserved_);
}

void SequenceCache::DropReserved() {
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i].DropFrom(part_layout(i).rows(length()));
  reserved_ = 0;
}

Status SequenceCache::Reserve(std::int64_t tokens) {
  HADAL_CHECK(tokens > 0, "a step without tokens");
  DropReserved();  // of a step that did not run
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Status status =
        parts_[i].Reserve(StoreFrom(i, tokens), part_layout(i).rows(length() + tokens));
    if (!status.ok()) {
      DropReserved();
      return status;
    }
  }
  reserved_ = tokens;
  return {};
}

void SequenceCache::Advance(std::span<const std::int32_t> ids) {
  HADAL_CHECK(static_cast<std::int64_t>(ids.size()) == reserved_, "advanced by another step");
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::int64_t stored_from = StoreFrom(i, reserved_);
    if (stored_from > part_layout(i).rows(length())) parts_[i].Skip(stored_from);
  }
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  reserved_ = 0;
  ForgetWindows();
  if (layout_->snapshot_alignment > 0 && length() % layout_->snapshot_alignment == 0) TakeMoment();
}

void SequenceCache::ForgetWindows() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const CacheWindow& window = part_layout(i).window;
    if (window.bounded()) parts_[i].DropBefore(window.HeldFrom(length(), layout_->rollback_tokens));
  }
}

void SequenceCache::TakeMoment() {
  const std::int64_t stretch = length() / layout_->snapshot_tokens;
  std::int64_t last_stretch = 0;
  for (const Moment& moment : moments_)
    if (moment.stretch) last_stretch = moment.length / layout_->snapshot_tokens;
  if (!moments_.empty() && !moments_.back().stretch && !moments_.back().turn) moments_.pop_back();
  Moment moment;
  moment.length = length();
  moment.stretch = stretch > last_stretch;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const CacheWindow& window = part_layout(i).window;
    if (!window.bounded()) continue;
    moment.windows.push_back(parts_[i]);
    moment.windows.back().DropBefore(window.NeedFrom(length()));
  }
  moments_.push_back(std::move(moment));
}

void SequenceCache::RestoreMoment(const Moment& moment) {
  auto window = moment.windows.begin();
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (part_layout(i).window.bounded()) parts_[i] = *window++;
}

void SequenceCache::KeepSnapshot() {
  if (moments_.empty() || moments_.back().turn) return;
  moments_.back().turn = true;
  if (std::count_if(moments_.begin(), moments_.end(), [](const Moment& m) { return m.turn; }) <=
      kTurnSnapshots)
    return;
  const auto oldest =
      std::find_if(moments_.begin(), moments_.end(), [](const Moment& m) { return m.turn; });
  oldest->turn = false;
  if (!oldest->stretch) moments_.erase(oldest);
}

bool SequenceCache::Holds(std::int64_t length) const {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const CacheWindow& window = part_layout(i).window;
    if (window.bounded() && !HeldWindow{window, parts_[i].held_from()}.Holds(length)) return false;
  }
  return true;
}

CacheReach SequenceCache::Reach() const {
  CacheReach reach;
  reach.length = length();
  for (std::size_t i = 0; i < parts_.size(); ++i)
    reach.Add({part_layout(i).window, parts_[i].held_from()});
  for (const Moment& moment : moments_) reach.moments.push_back(moment.length);
  return reach;
}

std::int64_t SequenceCache::Truncate(std::int64_t length) {
  HADAL_CHECK(length >= 0 && length <= this->length(), "truncated to a future position");
  while (!moments_.empty() && moments_.back().length > length) moments_.pop_back();
  if (!Holds(length)) {
    length = moments_.empty() ? 0 : moments_.back().length;
    if (length > 0) RestoreMoment(moments_.back());
  }
  ids_.resize(static_cast<std::size_t>(length));
  reserved_ = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i].Rewind(part_layout(i).rows(length));
  return length;
}

std::unique_ptr<SequenceCache> SequenceCache::Fork() const {
  auto fork = std::make_unique<SequenceCache>(pool_, layout_);
  fork->parts_ = parts_;
  fork->ids_ = ids_;
  fork->moments_ = moments_;
  fork->DropReserved();
  return fork;
}

std::shared_ptr<const CacheSnapshot> SequenceCache::Snapshot() const {
  return std::shared_ptr<const CacheSnapshot>(new CacheSnapshot(Fork()));
}

void SequenceCache::Restore(const CacheSnapshot& snapshot) {
  const SequenceCache& from = *snapshot.sequence_;
  parts_ = from.parts_;
  ids_ = from.ids_;
  moments_ = from.moments_;
  reserved_ = 0;
}

PagedRows SequenceCache::Part(std::size_t index) const {
  const CachePartLayout& part = part_layout(index);
  PagedRows rows;
  rows.pages = parts_[index].handles();
  rows.first_page = parts_[index].first_page();
  rows.page_rows = part.page_rows;
  rows.dtype = part.dtype;
  rows.form = part.form;
  rows.plain_columns = part.plain_columns;
  rows.row_bytes = part.row_bytes();
  rows.width = part.width;
  return rows;
}

std::vector<std::uint32_t> SequenceCache::Pages() const {
  std::vector<std::uint32_t> pages;
  const auto add = [&pages](const PartPages& part) {
    for (const std::uint32_t page : part.pages())
      if (page != PartPages::kAbsent) pages.push_back(page);
  };
  for (const PartPages& part : parts_) add(part);
  for (const Moment& moment : moments_)
    for (const PartPages& part : moment.windows) add(part);
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  return pages;
}

std::uint64_t SequenceCache::held_bytes() const {
  std::uint64_t bytes = 0;
  for (const std::uint32_t page : Pages()) bytes += pool_->Bytes(page);
  return bytes;
}

SnapshotTables CacheSnapshot::Tables() const {
  const SequenceCache& from = *sequence_;
  SnapshotTables tables;
  tables.ids = from.ids_;
  SnapshotState& present = tables.states.emplace_back();
  present.length = from.length();
  for (std::size_t i = 0; i < from.parts_.size(); ++i)
    present.tables.push_back(from.parts_[i].Table(from.part_layout(i).rows(from.length())));
  for (const SequenceCache::Moment& moment : from.moments_) {
    SnapshotState& state = tables.states.emplace_back();
    state.length = moment.length;
    state.stretch = moment.stretch;
    state.turn = moment.turn;
    // A bounded part has a row a token.
    for (const PartPages& window : moment.windows)
      state.tables.push_back(window.Table(moment.length));
  }
  return tables;
}

std::shared_ptr<const CacheSnapshot> CacheSnapshot::Of(PagePool* pool,
                                                       std::shared_ptr<const CacheLayout> layout,
                                                       SnapshotTables tables) {
  auto made = std::make_unique<SequenceCache>(pool, std::move(layout));
  made->ids_ = std::move(tables.ids);
  for (std::size_t i = 0; i < made->parts_.size(); ++i)
    made->parts_[i].Become(tables.states[0].tables[i]);
  for (std::size_t at = 1; at < tables.states.size(); ++at) {
    const SnapshotState& state = tables.states[at];
    SequenceCache::Moment& moment = made->moments_.emplace_back();
    moment.length = state.length;
    moment.stretch = state.stretch;
    moment.turn = state.turn;
    auto table = state.tables.begin();
    for (std::size_t i = 0; i < made->parts_.size(); ++i) {
      const CachePartLayout& part = made->part_layout(i);
      if (!part.window.bounded()) continue;
      moment.windows.emplace_back(pool, part.page_rows, part.page_bytes()).Become(*table++);
    }
  }
  return std::shared_ptr<const CacheSnapshot>(new CacheSnapshot(std::move(made)));
}

std::shared_ptr<const CacheSnapshot> CacheSnapshot::SharingPrefix(const CacheSnapshot& other,
                                                                  std::int64_t tokens) const {
  std::unique_ptr<SequenceCache> shared = sequence_->Fork();
  for (std::size_t i = 0; i < shared->parts_.size(); ++i) {
    const CachePartLayout& part = shared->part_layout(i);
    if (!part.window.bounded())
      shared->parts_[i].ShareBefore(other.sequence_->parts_[i], part.rows(tokens));
  }
  return std::shared_ptr<const CacheSnapshot>(new CacheSnapshot(std::move(shared)));
}

}  // namespace hadal
