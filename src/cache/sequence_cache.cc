#include "cache/sequence_cache.h"

#include <algorithm>

namespace hadal {

SequenceCache::SequenceCache(PagePool* pool, std::shared_ptr<const CacheLayout> layout)
    : pool_(pool), layout_(std::move(layout)), parts_(layout_->size()) {}

SequenceCache::~SequenceCache() { Truncate(0); }

Status SequenceCache::ReservePart(PartPages* part, std::uint64_t page_bytes,
                                  std::int64_t first_token, std::int64_t end_token) {
  const auto last_page = static_cast<std::size_t>((end_token - 1) / kPageTokens);
  for (auto at = static_cast<std::size_t>(first_token / kPageTokens); at <= last_page; ++at) {
    if (at < part->pages.size()) {
      if (!pool_->Shared(part->pages[at])) continue;
      HADAL_ASSIGN_OR_RETURN(part->pages[at], pool_->CopyOnWrite(part->pages[at]));
      part->handles[at] = pool_->Handle(part->pages[at]);
    } else {
      HADAL_ASSIGN_OR_RETURN(const std::uint32_t page, pool_->Take(page_bytes));
      part->pages.push_back(page);
      part->handles.push_back(pool_->Handle(page));
    }
  }
  return {};
}

Status SequenceCache::Reserve(std::int64_t tokens) {
  HADAL_CHECK(tokens > 0, "a step without tokens");
  const std::int64_t first = length();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Status status =
        ReservePart(&parts_[i], (*layout_)[i].page_bytes(), first, first + tokens);
    if (!status.ok()) {
      Truncate(first);  // gives back the pages that were taken ahead
      return status;
    }
  }
  return {};
}

void SequenceCache::Advance(std::span<const std::int32_t> ids) {
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  for (const PartPages& part : parts_)
    HADAL_CHECK(static_cast<std::int64_t>(part.pages.size()) * kPageTokens >= length(),
                "advanced past the reserved rows");
}

void SequenceCache::Truncate(std::int64_t length) {
  HADAL_CHECK(length >= 0 && length <= this->length(), "truncated to a future position");
  ids_.resize(static_cast<std::size_t>(length));
  const auto keep = static_cast<std::size_t>((length + kPageTokens - 1) / kPageTokens);
  for (PartPages& part : parts_) {
    while (part.pages.size() > keep) {
      pool_->Release(part.pages.back());
      part.pages.pop_back();
      part.handles.pop_back();
    }
  }
}

void SequenceCache::Assign(const std::vector<PartPages>& parts, std::vector<std::int32_t> ids) {
  // References first: `parts` may be what is released below.
  for (const PartPages& part : parts)
    for (const std::uint32_t page : part.pages) pool_->AddReference(page);
  std::vector<PartPages> copy = parts;
  Truncate(0);
  parts_ = std::move(copy);
  ids_ = std::move(ids);
}

std::unique_ptr<SequenceCache> SequenceCache::Fork() const {
  auto fork = std::make_unique<SequenceCache>(pool_, layout_);
  fork->Assign(parts_, ids_);
  return fork;
}

std::shared_ptr<const CacheSnapshot> SequenceCache::Snapshot() const {
  return std::shared_ptr<const CacheSnapshot>(new CacheSnapshot(Fork()));
}

void SequenceCache::Restore(const CacheSnapshot& snapshot) {
  Assign(snapshot.sequence_->parts_, snapshot.sequence_->ids_);
}

PagedRows SequenceCache::Part(std::size_t index) const {
  PagedRows rows;
  rows.pages = parts_[index].handles;
  rows.dtype = (*layout_)[index].dtype;
  rows.width = (*layout_)[index].width;
  return rows;
}

std::uint64_t SequenceCache::held_bytes() const {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i)
    bytes += parts_[i].pages.size() * (*layout_)[i].page_bytes();
  return bytes;
}

}  // namespace hadal
