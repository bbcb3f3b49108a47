// PrefixDisk: snapshots of timelines in files, found as in the tree in memory (prefix_tree.h) and
// still there after a restart. The format is described in docs/prefix-cache.md.
//
// What a failure may cost is time, never a token: a file is used only where its digests, its space,
// its token ids and the fingerprint of model, profile and layout are the expected ones, and is
// deleted else. Files are written beside, synced, renamed, and the folder is synced; Open sweeps
// what a killed writer left. Writing that fails pauses writing and leaves reading as it is.
//
// One process writes to a folder; others that open it only read, what is there when they open. A
// folder belongs to one model and profile: files of others are deleted. Files hold token ids and
// are readable by their owner alone.
//
// Threads: every member may be called from any thread. Load and Store read and write files and
// belong on a worker; Longest does not touch the disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "cache/disk_index.h"
#include "cache/prefix_search.h"
#include "cache/snapshot_image.h"
#include "cache/write_budget.h"

namespace hadal {

struct PrefixDiskOptions {
  std::string folder;                        // made where it is absent; its parent is there
  std::string fingerprint;                   // of model, profile and layout
  std::uint64_t quota_bytes = 0;             // of all files of the folder; 0: nothing is written
  std::uint64_t reserve_bytes = 1ull << 30;  // free space that is left to others
  std::uint64_t write_bytes_per_second = 0;  // in the long run; 0: no bound
  std::uint64_t write_burst_bytes = 0;       // and at once
  std::int64_t tied_tokens = 0;              // as in PrefixTreeOptions
  double retry_seconds = 30.0;               // pause after a write that failed
};

// Where a prompt could start; file 0: nowhere.
struct DiskMatch {
  std::uint64_t file = 0;
  std::int64_t usable_tokens = 0;  // the length that Truncate answers with, once adopted
  std::int64_t common_tokens = 0;
};

// What became of a snapshot that was to be stored. Shown in metrics: append only.
enum class DiskStored : std::uint8_t {
  kStored = 0,
  kAlreadyThere = 1,
  kOverBudget = 2,  // the bytes of this time are used up
  kTooLarge = 3,    // larger than the quota
  kNoSpace = 4,     // the disk is nearly full
  kPaused = 5,      // a write failed a moment ago
  kReadOnly = 6,    // another process writes to the folder
};

struct PrefixDiskStats {
  std::int64_t files = 0;
  std::uint64_t bytes = 0;  // of them
  std::int64_t loaded = 0, stored = 0, evicted = 0;
  std::uint64_t written_bytes = 0, read_bytes = 0;
  std::int64_t broken = 0;         // dropped: damaged, cut, exchanged
  std::int64_t other_version = 0;  // dropped: of another version of the format
  std::int64_t other_model = 0;    // dropped: another fingerprint
  std::int64_t refused = 0, failed_writes = 0;
};

class PrefixDisk {
 public:
  // Reads the headers of all files. Fails where the folder cannot be made or read.
  static Result<std::unique_ptr<PrefixDisk>> Open(PrefixDiskOptions options);
  ~PrefixDisk();
  PrefixDisk(const PrefixDisk&) = delete;
  PrefixDisk& operator=(const PrefixDisk&) = delete;

  // Another process has the folder.
  bool read_only() const { return !lock_.has_value(); }

  // The best start for the first `most_tokens` of a prompt; counts as a use.
  DiskMatch Longest(std::string_view space, std::span<const std::int32_t> ids,
                    std::int64_t most_tokens);

  // The whole file of a match, checked. Unusable or Unsupported where it is not what was stored:
  // the entry is gone then, and the reason is counted.
  Result<StoredSnapshot> Load(const DiskMatch& match);

  // Writes a snapshot; what it makes needless, and what was used longest ago, goes for it. Once it
  // answers kStored the snapshot survives a kill and a loss of power. Fails where writing does.
  // `now_seconds`: of a clock that does not go back.
  Result<DiskStored> Store(const SnapshotImage& image, double now_seconds);

  // Deletes what is stored of a space.
  void Forget(std::string_view space);

  PrefixDiskStats stats() const;

 private:
  struct Entry {
    std::string space;
    std::vector<std::int32_t> ids;
    CacheReach reach;
    std::uint64_t bytes = 0;
  };

  PrefixDisk(PrefixDiskOptions options, std::optional<FileLock> lock);
  std::string PathOf(std::uint64_t file) const;
  Status Scan();
  void ScanFile(std::uint64_t file, std::uint64_t bytes, const DiskUses& uses);
  Status Expected(const SnapshotRecord& record, std::uint64_t file) const;
  Result<StoredSnapshot> Check(std::uint64_t file, const Entry& entry, std::string content) const;
  std::optional<DiskStored> Refusal(const SnapshotImage& image, std::uint64_t bytes,
                                    double now_seconds);
  Status Write(const SnapshotImage& image, std::uint64_t file);
  void SaveUses();
  void RemoveDoomed();
  // With mutex_ held:
  ReachOf ReachOfEntries() const;
  void Add(std::uint64_t file, Entry entry);
  void Use(std::uint64_t file);
  void Drop(std::uint64_t file);
  void EvictFor(std::uint64_t bytes);
  std::uint64_t IndexBytes() const;

  const PrefixDiskOptions options_;
  std::optional<FileLock> lock_;
  std::mutex writing_;  // taken before mutex_
  WriteBudget budget_;  // guarded by writing_, as the next one
  std::optional<double> paused_until_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  std::map<std::string, TokenTree, std::less<>> spaces_;
  std::map<std::uint64_t, std::shared_ptr<const Entry>> entries_;
  std::map<std::uint64_t, std::uint64_t> uses_;    // of a file
  std::map<std::uint64_t, std::uint64_t> by_use_;  // and the other way round
  std::vector<std::uint64_t> doomed_;              // files to delete
  std::uint64_t next_file_ = 1, next_use_ = 1;
  PrefixDiskStats stats_;
};

}  // namespace hadal
