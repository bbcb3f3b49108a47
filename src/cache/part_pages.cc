#include "cache/part_pages.h"

#include <algorithm>

#include "base/bytes.h"

namespace hadal {

PartPages::PartPages(const PartPages& other)
    : pool_(other.pool_),
      page_rows_(other.page_rows_),
      page_bytes_(other.page_bytes_),
      first_page_(other.first_page_),
      held_from_(other.held_from_),
      pages_(other.pages_),
      handles_(other.handles_) {
  for (const std::uint32_t page : pages_)
    if (page != kAbsent) pool_->AddReference(page);
}

PartPages::~PartPages() {
  for (const std::uint32_t page : pages_) Release(page);
}

PartPages& PartPages::operator=(PartPages other) noexcept {
  HADAL_CHECK(pool_ == other.pool_ && page_rows_ == other.page_rows_, "pages of another part");
  std::swap(first_page_, other.first_page_);
  std::swap(held_from_, other.held_from_);
  pages_.swap(other.pages_);
  handles_.swap(other.handles_);
  return *this;
}

void PartPages::Release(std::uint32_t page) {
  if (page != kAbsent) pool_->Release(page);
}

Status PartPages::ReservePage(std::size_t at) {
  std::uint32_t& page = pages_[at];
  if (page == kAbsent) {
    HADAL_ASSIGN_OR_RETURN(page, pool_->Take(page_bytes_));
  } else if (pool_->Shared(page)) {
    HADAL_ASSIGN_OR_RETURN(page, pool_->CopyOnWrite(page));
  } else {
    return {};
  }
  handles_[at] = pool_->Handle(page);
  return {};
}

Status PartPages::Reserve(std::int64_t first, std::int64_t end) {
  if (first >= end) return {};
  if (pages_.empty()) first_page_ = first / page_rows_;
  const auto from = static_cast<std::size_t>(first / page_rows_ - first_page_);
  const auto to = static_cast<std::size_t>((end - 1) / page_rows_ - first_page_);
  if (pages_.size() <= to) {
    pages_.resize(to + 1, kAbsent);
    handles_.resize(to + 1, 0);
  }
  for (std::size_t at = from; at <= to; ++at) HADAL_RETURN_IF_ERROR(ReservePage(at));
  return {};
}

void PartPages::DropFrom(std::int64_t end) {
  const std::int64_t keep = CeilDiv(end, page_rows_) - first_page_;
  while (static_cast<std::int64_t>(pages_.size()) > std::max<std::int64_t>(keep, 0)) {
    Release(pages_.back());
    pages_.pop_back();
    handles_.pop_back();
  }
}

void PartPages::DropBefore(std::int64_t first) {
  const std::int64_t count =
      std::min(first / page_rows_ - first_page_, static_cast<std::int64_t>(pages_.size()));
  if (count <= 0) return;
  for (std::int64_t i = 0; i < count; ++i) Release(pages_[static_cast<std::size_t>(i)]);
  pages_.erase(pages_.begin(), pages_.begin() + count);
  handles_.erase(handles_.begin(), handles_.begin() + count);
  first_page_ += count;
  Skip(first_page_ * page_rows_);
}

PageTable PartPages::Table(std::int64_t end) const {
  PageTable table{held_from_ / page_rows_, held_from_, {}};
  if (held_from_ >= end) return table;
  for (std::int64_t page = table.first_page; page <= (end - 1) / page_rows_; ++page)
    table.pages.push_back(pages_.at(static_cast<std::size_t>(page - first_page_)));
  return table;
}

void PartPages::Become(const PageTable& table) {
  for (const std::uint32_t page : table.pages) pool_->AddReference(page);
  DropFrom(0);
  first_page_ = table.first_page;
  held_from_ = table.held_from;
  pages_ = table.pages;
  for (const std::uint32_t page : pages_) handles_.push_back(pool_->Handle(page));
}

void PartPages::ShareBefore(const PartPages& other, std::int64_t row) {
  HADAL_CHECK(pool_ == other.pool_ && page_rows_ == other.page_rows_, "pages of another part");
  const std::int64_t end = row / page_rows_;
  for (std::int64_t page = std::max(first_page_, other.first_page_); page < end; ++page) {
    const auto mine = static_cast<std::size_t>(page - first_page_);
    const auto its = static_cast<std::size_t>(page - other.first_page_);
    if (mine >= pages_.size() || its >= other.pages_.size()) return;
    if (pages_[mine] == kAbsent || other.pages_[its] == kAbsent) continue;
    pool_->AddReference(other.pages_[its]);
    Release(pages_[mine]);
    pages_[mine] = other.pages_[its];
    handles_[mine] = other.handles_[its];
  }
}

void PartPages::Rewind(std::int64_t row) {
  DropFrom(row);
  held_from_ = std::min(held_from_, row);
}

}  // namespace hadal
