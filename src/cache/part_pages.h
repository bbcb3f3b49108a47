// PartPages: the pages that one timeline (or snapshot) holds of one cache part. A copy shares the
// pages; the last holder gives them back to the pool.
//
// Thread-compatible, as the pool.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/page_pool.h"
#include "cache/snapshot_tables.h"

namespace hadal {

class PartPages {
 public:
  // Pages of page_rows rows, page_bytes bytes each. The pool outlives the object.
  PartPages(PagePool* pool, std::int64_t page_rows, std::uint64_t page_bytes)
      : pool_(pool), page_rows_(page_rows), page_bytes_(page_bytes) {}
  ~PartPages();
  PartPages(const PartPages& other);
  PartPages(PartPages&& other) noexcept = default;
  PartPages& operator=(PartPages other) noexcept;

  // Makes rows [first, end) writable: pages of this holder alone. Pages between the last one held
  // and that of `first` stay absent (handle 0). Where it fails, some of the pages are there.
  Status Reserve(std::int64_t first, std::int64_t end);
  // Gives back the pages that lie wholly at or behind row `end`.
  void DropFrom(std::int64_t end);
  // Gives back the pages that lie wholly before row `first`.
  void DropBefore(std::int64_t first);
  // Rows before `row` were not stored.
  void Skip(std::int64_t row) { held_from_ = row > held_from_ ? row : held_from_; }
  // Rows from `row` on are forgotten: what was skipped before and would be written again is no gap.
  void Rewind(std::int64_t row);
  // The pages of rows [held_from, end), and a copy with pages of a table, to which references are
  // added; all of them are there.
  PageTable Table(std::int64_t end) const;
  void Become(const PageTable& table);
  // Pages that lie wholly before `row` become those of `other`, which hold the same rows.
  void ShareBefore(const PartPages& other, std::int64_t row);

  std::int64_t first_page() const { return first_page_; }
  std::int64_t held_from() const { return held_from_; }  // rows from here on are held
  std::span<const std::uint64_t> handles() const { return handles_; }
  std::span<const std::uint32_t> pages() const { return pages_; }  // kAbsent: none

  static constexpr std::uint32_t kAbsent = 0xffffffff;

 private:
  Status ReservePage(std::size_t at);
  void Release(std::uint32_t page);

  PagePool* pool_;
  std::int64_t page_rows_;
  std::uint64_t page_bytes_;
  std::int64_t first_page_ = 0, held_from_ = 0;
  std::vector<std::uint32_t> pages_;
  std::vector<std::uint64_t> handles_;  // beside pages_
};

}  // namespace hadal
