// SequenceCache: what one timeline remembers. Its parts are what `spec` says that the layers keep;
// each part is a list of pages from a PagePool, and kernels get it as a page table
// (ops/attention.h). It also holds the token ids, so that a timeline can be compared, forked and
// replayed.
//
// Thread-compatible; all sequences of one pool belong to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cache/page_pool.h"
#include "ops/attention.h"

namespace hadal {

// One part of one layer: a row of `width` values of `dtype` per token.
struct CachePartLayout {
  DType dtype = DType::kF32;
  std::int64_t width = 0;
  std::uint64_t page_bytes() const {
    return static_cast<std::uint64_t>(kPageTokens * width) *
           static_cast<std::uint64_t>(Info(dtype).block_bytes);
  }
};

// All parts of a model, in the order in which layers name them by index.
using CacheLayout = std::vector<CachePartLayout>;

// A moment of a timeline, immutable and cheap: references to its pages.
class CacheSnapshot;

class SequenceCache {
 public:
  SequenceCache(PagePool* pool, std::shared_ptr<const CacheLayout> layout);
  ~SequenceCache();
  SequenceCache(const SequenceCache&) = delete;
  SequenceCache& operator=(const SequenceCache&) = delete;

  std::int64_t length() const { return static_cast<std::int64_t>(ids_.size()); }
  std::span<const std::int32_t> ids() const { return ids_; }

  // Makes room for rows [length, length + tokens) in every part, with pages of this timeline alone.
  // NoRoom leaves the content as it was. The rows are written by the step and then Advance says so.
  Status Reserve(std::int64_t tokens);
  void Advance(std::span<const std::int32_t> ids);

  // Forgets everything from position `length` on; pages behind it go back to the pool.
  void Truncate(std::int64_t length);
  // Another timeline with the same past, sharing its pages.
  std::unique_ptr<SequenceCache> Fork() const;
  std::shared_ptr<const CacheSnapshot> Snapshot() const;
  // Becomes the moment of the snapshot (of this layout and pool).
  void Restore(const CacheSnapshot& snapshot);

  // The page table of a part, for kernels. Valid until the next Reserve, Truncate or Restore.
  PagedRows Part(std::size_t index) const;
  std::size_t parts() const { return parts_.size(); }
  std::uint64_t held_bytes() const;

 private:
  struct PartPages {
    std::vector<std::uint32_t> pages;
    std::vector<std::uint64_t> handles;  // beside pages
  };
  void Assign(const std::vector<PartPages>& parts, std::vector<std::int32_t> ids);
  Status ReservePart(PartPages* part, std::uint64_t page_bytes, std::int64_t first_token,
                     std::int64_t end_token);

  PagePool* pool_;
  std::shared_ptr<const CacheLayout> layout_;
  std::vector<PartPages> parts_;
  std::vector<std::int32_t> ids_;
};

class CacheSnapshot {
 public:
  std::int64_t length() const { return sequence_->length(); }

 private:
  friend class SequenceCache;
  explicit CacheSnapshot(std::unique_ptr<SequenceCache> sequence)
      : sequence_(std::move(sequence)) {}
  std::unique_ptr<SequenceCache> sequence_;  // never written to
};

}  // namespace hadal
