// PrefixWorker: reads and writes files of the disk tier beside the loop. Two threads of its own, so
// that a prompt does not wait for another's file to be synced.
//
// The loop's thread calls everything; images of snapshots are made and destroyed there, as pages
// belong to it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cache/prefix_disk.h"

namespace hadal {

class PrefixWorker {
 public:
  // `wake` is called, on any thread, when there is something to take.
  PrefixWorker(std::shared_ptr<PrefixDisk> disk, std::function<void()> wake);
  ~PrefixWorker();  // writes what waits, and forgets what is to be read
  PrefixWorker(const PrefixWorker&) = delete;
  PrefixWorker& operator=(const PrefixWorker&) = delete;

  PrefixDisk& disk() { return *disk_; }

  // Writes a snapshot within a moment, and not those that wait and that it makes needless. Where
  // more come than can be written the oldest one is left out.
  void Store(std::shared_ptr<const SnapshotImage> image);
  // Nothing that waits of a space, or of all, is written any more.
  void Drop(const std::string* space);
  // Frees what was written.
  void FreeDone();

  void Load(const DiskMatch& match);
  struct Loaded {
    DiskMatch match;
    Result<StoredSnapshot> snapshot;
  };
  std::vector<Loaded> TakeLoaded();

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    std::shared_ptr<const SnapshotImage> image;
    Clock::time_point due;
  };
  void WriteThem();
  void ReadThem();

  const std::shared_ptr<PrefixDisk> disk_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  std::list<Waiting> waiting_;  // in the order of their time
  std::vector<std::shared_ptr<const SnapshotImage>> done_;
  std::deque<DiskMatch> wanted_;
  std::vector<Loaded> loaded_;
  bool stop_ = false;
  std::thread writer_, reader_;
};

}  // namespace hadal
