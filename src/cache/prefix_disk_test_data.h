// What the tests of the disk tier share: a folder, timelines that tell their past, and storing and
// reading as the engine does.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/random.h"
#include "cache/cache_test_data.h"
#include "cache/prefix_disk.h"

namespace hadal {

class DiskFolder {
 public:
  explicit DiskFolder(const std::string& name)
      : path_(::testing::TempDir() + "/hadal_" + name + "_" + std::to_string(::getpid())) {
    std::filesystem::remove_all(path_);
  }
  ~DiskFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  // Files with this in their name.
  std::vector<std::string> Files(const std::string& part) const {
    std::vector<std::string> files;
    for (const auto& one : std::filesystem::directory_iterator(path_))
      if (one.path().filename().string().find(part) != std::string::npos)
        files.push_back(one.path().string());
    std::sort(files.begin(), files.end());
    return files;
  }
  std::uint64_t Bytes() const {
    std::uint64_t bytes = 0;
    for (const std::string& file : Files("")) bytes += std::filesystem::file_size(file);
    return bytes;
  }

 private:
  std::string path_;
};

// Pages and timelines beside a disk.
struct DiskTimelines {
  std::shared_ptr<const CacheSnapshot> Made(const Ids& ids) {
    SequenceCache cache(&pool, layout);
    for (std::span<const std::int32_t> left = ids; !left.empty();) {
      const auto step = left.first(std::min<std::size_t>(left.size(), 128));
      EXPECT_TRUE(TakeStep(&cache, step));
      left = left.subspan(step.size());
    }
    cache.KeepSnapshot();
    return cache.Snapshot();
  }

  // The ids of one of many prompts, of 200 to 400 tokens.
  static Ids Prompt(std::uint64_t number) {
    Random random(99, number);
    Ids ids;
    for (std::uint64_t left = 200 + random.Below(200); left > 0; --left)
      ids.push_back(static_cast<std::int32_t>(random.Below(1000)));
    return ids;
  }

  Result<DiskStored> Store(PrefixDisk* disk, const std::string& space, const Ids& ids,
                           double now_seconds = 0.0) {
    return disk->Store(SnapshotImage(space, Made(ids)), now_seconds);
  }

  // How many tokens of the prompt the disk gives, all checked; -1: it has something that it cannot
  // read. Wrong rows fail the test.
  std::int64_t Restored(PrefixDisk* disk, const std::string& space, const Ids& ids) {
    const DiskMatch match = disk->Longest(space, ids, std::ssize(ids));
    if (match.file == 0) return 0;
    auto stored = disk->Load(match);
    if (!stored.ok()) return -1;
    SnapshotAdoption adoption(std::move(*stored), &pool, layout);
    Result<bool> done = false;
    while (done.ok() && !*done) done = adoption.Advance(1 << 16);
    EXPECT_TRUE(done.ok());
    SequenceCache cache(&pool, layout);
    cache.Restore(*adoption.Take());
    EXPECT_EQ(cache.Truncate(match.usable_tokens), match.usable_tokens);
    EXPECT_TRUE(std::equal(cache.ids().begin(), cache.ids().end(), ids.begin()));
    ExpectReadable(cache);
    return match.usable_tokens;
  }

  HostMemory memory;
  PagePool pool{&memory, 0};
  std::shared_ptr<const CacheLayout> layout = std::make_shared<CacheLayout>(EveryKind());
};

inline PrefixDiskOptions DiskOptions(const DiskFolder& folder) {
  PrefixDiskOptions options;
  options.folder = folder.path();
  options.fingerprint = "model a, profile fast";
  options.quota_bytes = 1 << 30;
  options.reserve_bytes = 0;
  return options;
}

}  // namespace hadal
