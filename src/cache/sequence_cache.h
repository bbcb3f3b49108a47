// SequenceCache: what one timeline remembers. Its parts are what `spec` says that the layers keep;
// each part is a list of pages from a PagePool, and kernels get it as a page table
// (ops/attention.h). It also holds the token ids, so that a timeline can be compared, forked and
// replayed.
//
// Parts without a window keep every row. A part with one gives back the pages of rows that are
// needed no more, but for the last rollback_tokens. What is gone cannot be made again from the part
// itself (each layer's window needs the layer below's), so the timeline keeps snapshots of its
// windows at multiples of snapshot_alignment: the newest; one a stretch of snapshot_tokens; the
// last kTurnSnapshots that KeepSnapshot asked for. They share pages with the timeline.
//
// Thread-compatible; all sequences of one pool belong to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cache/cache_layout.h"
#include "cache/cache_reach.h"
#include "cache/part_pages.h"

namespace hadal {

// A moment of a timeline, immutable and cheap: references to its pages.
class CacheSnapshot;

class SequenceCache {
 public:
  SequenceCache(PagePool* pool, std::shared_ptr<const CacheLayout> layout);
  SequenceCache(const SequenceCache&) = delete;
  SequenceCache& operator=(const SequenceCache&) = delete;

  std::int64_t length() const { return static_cast<std::int64_t>(ids_.size()); }
  std::span<const std::int32_t> ids() const { return ids_; }

  // Makes room for a step of `tokens` tokens in every part, with pages of this timeline alone:
  // rows [StoreFrom(part), (length + tokens) / tokens_per_entry). NoRoom leaves the content as it
  // was. The rows are written by the step and then Advance says so, with exactly these tokens.
  Status Reserve(std::int64_t tokens);
  void Advance(std::span<const std::int32_t> ids);
  // First row of a part that the reserved step has to store: length / tokens_per_entry, or later in
  // a part that keeps but the tail of a step. Equal to the end where there is nothing to store.
  std::int64_t StoreFrom(std::size_t index) const;

  // Goes back to `length` (at most the present one) where every part still holds what that needs:
  // always without windows, and within the last rollback_tokens with them. Else to the newest
  // snapshot before it, or to nothing. Returns the length that it has now; the caller feeds the ids
  // from there on again. The content is the same as if it had never been longer.
  std::int64_t Truncate(std::int64_t length);
  // Forgets everything and gives all pages back.
  void Clear() { Truncate(0); }

  // A turn ends here: keeps the newest snapshot.
  void KeepSnapshot();

  // Another timeline with the same past, sharing its pages.
  std::unique_ptr<SequenceCache> Fork() const;
  std::shared_ptr<const CacheSnapshot> Snapshot() const;
  // Becomes the moment of the snapshot (of this layout and pool).
  void Restore(const CacheSnapshot& snapshot);

  // The page table of a part, for kernels. Valid until the next change of the timeline.
  PagedRows Part(std::size_t index) const;
  std::size_t parts() const { return parts_.size(); }
  const CacheLayout& layout() const { return *layout_; }
  std::shared_ptr<const CacheLayout> shared_layout() const { return layout_; }
  PagePool* pool() const { return pool_; }
  // To which lengths Truncate could go.
  CacheReach Reach() const;
  // Its pages, snapshots included: ascending numbers of the pool, each once.
  std::vector<std::uint32_t> Pages() const;
  // Bytes of its pages, snapshots included; pages that other timelines share count in each.
  std::uint64_t held_bytes() const;

 private:
  // The windows at some earlier length.
  struct Moment {
    std::int64_t length = 0;
    bool stretch = false, turn = false;  // why it stays; neither: until the next one
    std::vector<PartPages> windows;      // of the bounded parts, in order
  };

  const CachePartLayout& part_layout(std::size_t index) const { return layout_->parts[index]; }
  std::int64_t StoreFrom(std::size_t index, std::int64_t tokens) const;
  bool Holds(std::int64_t length) const;
  friend class CacheSnapshot;
  void DropReserved();
  void ForgetWindows();  // rows that no longer need to be held
  void TakeMoment();
  void RestoreMoment(const Moment& moment);

  PagePool* pool_;
  std::shared_ptr<const CacheLayout> layout_;
  std::vector<PartPages> parts_;
  std::vector<std::int32_t> ids_;
  std::vector<Moment> moments_;  // ascending lengths, at most the present one
  std::int64_t reserved_ = 0;    // tokens of the step in progress
};

class CacheSnapshot {
 public:
  std::int64_t length() const { return sequence_->length(); }
  std::span<const std::int32_t> ids() const { return sequence_->ids(); }
  const CacheLayout& layout() const { return sequence_->layout(); }
  PagePool* pool() const { return sequence_->pool(); }
  CacheReach Reach() const { return sequence_->Reach(); }
  std::vector<std::uint32_t> Pages() const { return sequence_->Pages(); }

  // What it is made of, in pages of the pool. A snapshot of such tables, of this pool and layout,
  // is the same moment: all pages are there, with their rows, and get one more reference.
  SnapshotTables Tables() const;
  static std::shared_ptr<const CacheSnapshot> Of(PagePool* pool,
                                                 std::shared_ptr<const CacheLayout> layout,
                                                 SnapshotTables tables);

  // The same moment, but what lies wholly in the first `tokens` tokens, whose ids are those of
  // `other`, and is kept for good is held in the pages of `other`. Rows follow from the ids alone,
  // so that this changes no bit; it saves the memory of a prefix that was computed twice.
  std::shared_ptr<const CacheSnapshot> SharingPrefix(const CacheSnapshot& other,
                                                     std::int64_t tokens) const;

 private:
  friend class SequenceCache;
  explicit CacheSnapshot(std::unique_ptr<SequenceCache> sequence)
      : sequence_(std::move(sequence)) {}
  std::unique_ptr<SequenceCache> sequence_;  // never written to
};

}  // namespace hadal
