// SnapshotImage and SnapshotAdoption: a snapshot on its way to a file and back. Rows are written
// from the pages themselves and read into pages, bit for bit; only rows that the timeline holds
// travel.
//
// Threads: both are made, and destroyed, by the pool's thread; so is each call of Advance. WriteTo
// may run on a worker meanwhile: pages of a snapshot are never written to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "cache/sequence_cache.h"
#include "cache/snapshot_record.h"

namespace hadal {

class SnapshotImage {
 public:
  // Cheap: no row is copied. The snapshot is not empty.
  SnapshotImage(std::string space, std::shared_ptr<const CacheSnapshot> snapshot);

  const std::string& space() const { return record_.space; }
  std::span<const std::int32_t> ids() const { return record_.tables.ids; }
  CacheReach Reach() const { return record_.Reach(); }
  // Of a file with this fingerprint.
  std::uint64_t FileBytes(const std::string& fingerprint) const;
  // Writes header and rows. Failures are those of the file.
  Status WriteTo(std::uint64_t number, const std::string& fingerprint, AtomicFile* file) const;

 private:
  std::shared_ptr<const CacheSnapshot> snapshot_;  // keeps the pages
  SnapshotRecord record_;                          // without number, fingerprint and digests
  std::vector<ByteSpan> rows_;                     // beside record_.pages
};

// What a file held, checked whole. Made by any thread.
struct StoredSnapshot {
  SnapshotRecord record;
  std::string file;  // its bytes; the payload are the last ones

  ByteSpan payload() const {
    const ByteSpan bytes = std::as_bytes(std::span(file));
    return bytes.last(static_cast<std::size_t>(record.payload_bytes));
  }
};

class SnapshotAdoption {
 public:
  SnapshotAdoption(StoredSnapshot stored, PagePool* pool,
                   std::shared_ptr<const CacheLayout> layout);
  ~SnapshotAdoption();
  SnapshotAdoption(const SnapshotAdoption&) = delete;
  SnapshotAdoption& operator=(const SnapshotAdoption&) = delete;

  // Fills pages with at least one and about `most_bytes` bytes, so that the engine's loop is not
  // held up; true: it is complete. NoRoom where the pool has no page left, Unusable where the file
  // is of another layout: what was taken is given back, and it ends there.
  Result<bool> Advance(std::uint64_t most_bytes);
  // The snapshot, once, when complete.
  std::shared_ptr<const CacheSnapshot> Take();

 private:
  void Release();

  StoredSnapshot stored_;
  PagePool* pool_;
  std::shared_ptr<const CacheLayout> layout_;
  std::vector<std::uint32_t> pages_;  // of the pool, beside record.pages
  std::uint64_t read_bytes_ = 0;      // of the payload
};

}  // namespace hadal
