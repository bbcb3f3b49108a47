// PagePool: memory for cache pages, counted and bounded. A page holds some rows of one part of one
// layer. Pages are reference-counted and copied when a shared one is written to, so that a
// fork costs nothing until its timelines differ, and an idle context costs only what it holds.
//
// Thread-compatible: one thread at a time per pool (the engine's step thread).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/status.h"
#include "ops/memory.h"

namespace hadal {

class PagePool {
 public:
  // `memory` allocates (and outlives the pool); `budget_bytes` 0 means no bound of our own.
  PagePool(Memory* memory, std::uint64_t budget_bytes)
      : memory_(memory), budget_bytes_(budget_bytes) {}
  ~PagePool();
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  // A page with one reference. NoRoom where the budget or the memory is used up; nothing changes
  // then.
  Result<std::uint32_t> Take(std::uint64_t bytes);
  void AddReference(std::uint32_t page);
  void Release(std::uint32_t page);
  bool Shared(std::uint32_t page) const { return pages_[page].references > 1; }
  std::uint64_t Handle(std::uint32_t page) const { return pages_[page].memory.handle; }
  std::uint64_t Bytes(std::uint32_t page) const { return pages_[page].bytes; }
  // The content of a page on the host; valid as long as somebody refers to the page and nobody
  // writes to it.
  const std::byte* Fetch(std::uint32_t page) const {
    return static_cast<const std::byte*>(memory_->Fetch(pages_[page].memory));
  }
  // Writes a whole page.
  void Put(std::uint32_t page, const std::byte* content) {
    memory_->Put(pages_[page].memory, content, pages_[page].bytes);
  }
  // A page of its own with the same content; the caller's reference to `page` moves to it.
  Result<std::uint32_t> CopyOnWrite(std::uint32_t page);

  std::uint64_t used_bytes() const { return used_bytes_; }            // held by sequences
  std::uint64_t allocated_bytes() const { return allocated_bytes_; }  // held or kept for reuse

 private:
  struct Page {
    View memory;
    std::uint64_t bytes = 0;
    int references = 0;
  };
  Memory* memory_;
  std::uint64_t budget_bytes_;
  std::uint64_t used_bytes_ = 0, allocated_bytes_ = 0;
  std::vector<Page> pages_;
  std::map<std::uint64_t, std::vector<std::uint32_t>> free_;  // by size
};

}  // namespace hadal
