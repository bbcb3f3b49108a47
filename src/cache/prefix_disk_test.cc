// The disk tier with everything that may go wrong (faults D-04 to D-09, D-28 of the reference).
#include "cache/prefix_disk.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "cache/prefix_disk_test_data.h"

namespace hadal {
namespace {

class PrefixDiskTest : public ::testing::Test {
 protected:
  std::unique_ptr<PrefixDisk> Open() { return Open(DiskOptions(folder_)); }
  static std::unique_ptr<PrefixDisk> Open(const PrefixDiskOptions& options) {
    auto disk = PrefixDisk::Open(options);
    EXPECT_TRUE(disk.ok()) << disk.status().ToString();
    return std::move(*disk);
  }
  void Fill(PrefixDisk* disk, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
      EXPECT_EQ(*lines_.Store(disk, "s", DiskTimelines::Prompt(i)), DiskStored::kStored);
  }
  static void ChangeByte(const std::string& path, std::uint64_t at, int bits) {
    std::string bytes = *ReadFile(path);
    bytes[at] = static_cast<char>(bytes[at] ^ bits);
    Write(path, bytes);
  }
  // Without the syncs, of which a test needs none.
  static void Write(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
  }

  DiskFolder folder_{"disk"};
  DiskTimelines lines_;
};

TEST_F(PrefixDiskTest, SurvivesARestart) {
  {
    auto disk = Open();
    EXPECT_FALSE(disk->read_only());
    Fill(disk.get(), 5);
    EXPECT_EQ(*lines_.Store(disk.get(), "s", DiskTimelines::Prompt(3)), DiskStored::kAlreadyThere);
  }
  auto disk = Open();
  EXPECT_EQ(disk->stats().files, 5);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const Ids ids = DiskTimelines::Prompt(i);
    EXPECT_EQ(lines_.Restored(disk.get(), "s", ids), std::ssize(ids));
    EXPECT_EQ(lines_.Restored(disk.get(), "other", ids), 0);
    Ids longer = ids;
    longer.push_back(1);
    EXPECT_EQ(lines_.Restored(disk.get(), "s", longer), std::ssize(ids));
    EXPECT_EQ(disk->Longest("s", ids, 10).common_tokens, 10);
  }
  EXPECT_EQ(lines_.Restored(disk.get(), "s", {-1, -2}), 0);
  EXPECT_EQ(disk->stats().broken, 0);
}

TEST_F(PrefixDiskTest, ALongerOneReplacesWhatItServes) {
  auto disk = Open();
  CacheLayout plain = EveryKind();
  plain.parts.resize(3);
  plain.snapshot_alignment = 0;
  lines_.layout = std::make_shared<CacheLayout>(plain);
  Ids ids = DiskTimelines::Prompt(1);
  EXPECT_EQ(*lines_.Store(disk.get(), "s", ids), DiskStored::kStored);
  ids.push_back(5);
  EXPECT_EQ(*lines_.Store(disk.get(), "s", ids), DiskStored::kStored);
  ids.resize(100);
  EXPECT_EQ(*lines_.Store(disk.get(), "s", ids), DiskStored::kAlreadyThere);
  EXPECT_EQ(folder_.Files(".prefix").size(), 1u);
  EXPECT_EQ(lines_.Restored(disk.get(), "s", ids), 100);
}

// D-09: a hard quota, least recently used first, by a counter that survives.
TEST_F(PrefixDiskTest, D09_QuotaHoldsAtEveryMoment) {
  PrefixDiskOptions options = DiskOptions(folder_);
  options.quota_bytes = 200000;
  std::uint64_t most = 0;
  {
    auto disk = Open(options);
    const Ids first = DiskTimelines::Prompt(0);
    for (std::uint64_t i = 0; i < 30; ++i) {
      ASSERT_EQ(*lines_.Store(disk.get(), "s", DiskTimelines::Prompt(i),
                              100.0 - 10.0 * static_cast<double>(i)),
                DiskStored::kStored);
      EXPECT_EQ(lines_.Restored(disk.get(), "s", first), std::ssize(first)) << i;  // stays in use
      most = std::max(most, folder_.Bytes());
      EXPECT_LE(folder_.Bytes(), options.quota_bytes);
    }
    EXPECT_GT(disk->stats().evicted, 0);
    EXPECT_LT(lines_.Restored(disk.get(), "s", DiskTimelines::Prompt(1)), 100);
  }
  EXPECT_GT(most, options.quota_bytes / 2);
  auto disk = Open(options);
  for (std::uint64_t i = 30; i < 33; ++i)
    ASSERT_EQ(*lines_.Store(disk.get(), "s", DiskTimelines::Prompt(i)), DiskStored::kStored);
  EXPECT_EQ(lines_.Restored(disk.get(), "s", DiskTimelines::Prompt(0)),
            std::ssize(DiskTimelines::Prompt(0)));
  disk.reset();
  options.quota_bytes = 50000;  // less than there is
  disk = Open(options);
  EXPECT_LE(folder_.Bytes(), options.quota_bytes);
  EXPECT_GT(disk->stats().files, 0);
  options.quota_bytes = 1000;
  disk.reset();
  disk = Open(options);
  EXPECT_EQ(*lines_.Store(disk.get(), "s", DiskTimelines::Prompt(50)), DiskStored::kTooLarge);
}

TEST_F(PrefixDiskTest, WritesWithinItsBudget) {
  PrefixDiskOptions options = DiskOptions(folder_);
  options.write_bytes_per_second = 1000;
  options.write_burst_bytes = 60000;
  auto disk = Open(options);
  int stored = 0, refused = 0;
  double now = 0.0;
  for (std::uint64_t i = 0; i < 60; ++i, now += 1.0)
    ++(*lines_.Store(disk.get(), "s", DiskTimelines::Prompt(i), now) == DiskStored::kStored
           ? stored
           : refused);
  EXPECT_GT(stored, 2);
  EXPECT_GT(refused, 30);
  EXPECT_EQ(disk->stats().refused, refused);
  EXPECT_LE(disk->stats().written_bytes, 60000u + 60u * 1000u);
}

// D-08: whatever is changed costs the entry and never a token.
TEST_F(PrefixDiskTest, D08_ADamagedFileIsAMissAndGoes) {
  Random random(8);
  const Ids ids = DiskTimelines::Prompt(0);
  Fill(Open().get(), 1);
  const std::string path = folder_.Files(".prefix").at(0), whole = *ReadFile(path);
  const std::uint64_t header = *RecordHeaderBytes(std::as_bytes(std::span(whole)), whole.size());
  for (int round = 0; round < 120; ++round) {
    Write(path, whole);
    const bool in_header = round % 2 == 0, while_open = round % 4 < 2;
    const std::uint64_t at =
        in_header ? random.Below(header) : header + random.Below(whole.size() - header);
    auto disk = while_open ? Open() : nullptr;
    ChangeByte(path, at, 1 << random.Below(8));
    if (!while_open) disk = Open();
    ASSERT_LE(lines_.Restored(disk.get(), "s", ids), 0) << at;
    EXPECT_EQ(lines_.Restored(disk.get(), "s", ids), 0);
    const PrefixDiskStats stats = disk->stats();
    EXPECT_EQ(stats.broken + stats.other_version, 1);
    EXPECT_EQ(stats.files, 0);
    EXPECT_TRUE(folder_.Files(".prefix").empty());
  }
  for (const std::uint64_t length :
       {std::size_t{0}, std::size_t{63}, std::size_t{64}, header, header + 1, whole.size() - 1}) {
    Write(path, whole.substr(0, length));
    EXPECT_EQ(Open()->stats().broken, 1) << length;
    Write(path, whole);
    auto disk = Open();
    Write(path, whole.substr(0, length));
    EXPECT_EQ(lines_.Restored(disk.get(), "s", ids), -1) << length;
  }
}

TEST_F(PrefixDiskTest, FilesThatChangedPlacesAreSeen) {
  Fill(Open().get(), 2);
  const auto swap = [this] {
    const std::vector<std::string> files = folder_.Files(".prefix");
    std::filesystem::rename(files[0], folder_.path() + "/aside");
    std::filesystem::rename(files[1], files[0]);
    std::filesystem::rename(folder_.path() + "/aside", files[1]);
  };
  auto disk = Open();
  swap();
  for (std::uint64_t i = 0; i < 2; ++i)
    EXPECT_EQ(lines_.Restored(disk.get(), "s", DiskTimelines::Prompt(i)), -1);
  disk.reset();
  Fill(Open().get(), 2);
  swap();
  EXPECT_EQ(Open()->stats().broken, 2);
  EXPECT_TRUE(folder_.Files(".prefix").empty());
}

TEST_F(PrefixDiskTest, AnotherModelOrVersionIsNotUsed) {
  Fill(Open().get(), 2);
  ChangeByte(folder_.Files(".prefix")[0], 8, 2);
  EXPECT_EQ(Open()->stats().other_version, 1);
  PrefixDiskOptions options = DiskOptions(folder_);
  options.fingerprint = "model a, profile reference";
  auto disk = Open(options);
  EXPECT_EQ(disk->stats().other_model, 1);
  EXPECT_EQ(disk->stats().files, 0);
  EXPECT_TRUE(folder_.Files(".prefix").empty());
}

TEST_F(PrefixDiskTest, D07_ABrokenIndexCostsOnlyTheOrder) {
  Fill(Open().get(), 3);
  Write(folder_.path() + "/index", "nonsense");
  auto disk = Open();
  EXPECT_EQ(disk->stats().files, 3);
  for (std::uint64_t i = 0; i < 3; ++i)
    EXPECT_GT(lines_.Restored(disk.get(), "s", DiskTimelines::Prompt(i)), 0);
}

TEST_F(PrefixDiskTest, SweepsWhatAKilledWriterLeft) {
  Fill(Open().get(), 1);
  for (const std::string name : {"/0000000000000009.prefix.tmp.77", "/index.tmp.5"})
    Write(folder_.path() + name, "half");
  Write(folder_.path() + "/notes.tmp.txt", "not ours");
  auto disk = Open();
  EXPECT_EQ(disk->stats().files, 1);
  EXPECT_EQ(folder_.Files(".tmp.").size(), 1u);
  EXPECT_EQ(*ReadFile(folder_.path() + "/notes.tmp.txt"), "not ours");
}

// D-28: one writes, the other reads.
TEST_F(PrefixDiskTest, D28_TheSecondProcessOnlyReads) {
  auto first = Open();
  Fill(first.get(), 2);
  auto second = Open();
  EXPECT_TRUE(second->read_only());
  EXPECT_EQ(lines_.Restored(second.get(), "s", DiskTimelines::Prompt(1)),
            std::ssize(DiskTimelines::Prompt(1)));
  EXPECT_EQ(*lines_.Store(second.get(), "s", DiskTimelines::Prompt(9)), DiskStored::kReadOnly);
  first->Forget("s");
  EXPECT_TRUE(folder_.Files(".prefix").empty());
  EXPECT_EQ(lines_.Restored(second.get(), "s", DiskTimelines::Prompt(1)), -1);
  // What it finds damaged is not its to delete.
  Fill(first.get(), 1);
  ChangeByte(folder_.Files(".prefix")[0], 100, 1);
  second.reset();
  second = Open();
  EXPECT_EQ(second->stats().broken, 1);
  EXPECT_EQ(folder_.Files(".prefix").size(), 1u);
  first.reset();
  second.reset();
  EXPECT_FALSE(Open()->read_only());
}

// D-04: no space while a snapshot is written; a limit on file sizes stands for a full disk.
TEST_F(PrefixDiskTest, D04_AFullDiskPausesWritingAlone) {
  auto disk = Open();
  Fill(disk.get(), 2);
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 3000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto failed = lines_.Store(disk.get(), "s", DiskTimelines::Prompt(5), 1.0);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, before);
  EXPECT_FALSE(failed.ok());
  EXPECT_TRUE(folder_.Files(".tmp.").empty());
  EXPECT_EQ(*lines_.Store(disk.get(), "s", DiskTimelines::Prompt(5), 2.0), DiskStored::kPaused);
  for (std::uint64_t i = 0; i < 2; ++i)
    EXPECT_GT(lines_.Restored(disk.get(), "s", DiskTimelines::Prompt(i)), 100);
  EXPECT_EQ(*lines_.Store(disk.get(), "s", DiskTimelines::Prompt(5), 40.0), DiskStored::kStored);
  PrefixDiskOptions options = DiskOptions(folder_);
  options.reserve_bytes = 1ull << 60;
  disk.reset();
  disk = Open(options);
  EXPECT_EQ(*lines_.Store(disk.get(), "s", DiskTimelines::Prompt(6)), DiskStored::kNoSpace);
}

TEST_F(PrefixDiskTest, AFolderThatCannotBeSaysSo) {
  PrefixDiskOptions options = DiskOptions(folder_);
  options.folder += "/absent/below";
  EXPECT_FALSE(PrefixDisk::Open(options).ok());
  Write(folder_.path(), "a file");
  EXPECT_FALSE(PrefixDisk::Open(DiskOptions(folder_)).ok());
}

TEST_F(PrefixDiskTest, FilesAreTheirOwnersAlone) {
  Fill(Open().get(), 1);
  const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  for (const std::string& path : {folder_.path(), folder_.Files(".prefix")[0]})
    EXPECT_EQ(std::filesystem::status(path).permissions() & others, std::filesystem::perms::none);
}

// Lookups, loads and writes at the same time; for the thread sanitizer too.
TEST_F(PrefixDiskTest, ThreadsMayShareIt) {
  PrefixDiskOptions options = DiskOptions(folder_);
  options.quota_bytes = 150000;
  auto disk = Open(options);
  std::vector<std::unique_ptr<SnapshotImage>> images;
  for (std::uint64_t i = 0; i < 24; ++i)
    images.push_back(std::make_unique<SnapshotImage>("s", lines_.Made(DiskTimelines::Prompt(i))));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < images.size(); i += 2)
        EXPECT_TRUE(disk->Store(*images[i], 0.0).ok());
    });
  for (std::uint64_t t = 0; t < 2; ++t)
    threads.emplace_back([&disk, t] {
      for (std::uint64_t i = 0; i < 200; ++i) {
        const Ids ids = DiskTimelines::Prompt((i * 7 + t) % 24);
        const DiskMatch match = disk->Longest("s", ids, std::ssize(ids));
        if (match.file == 0) continue;
        const auto stored = disk->Load(match);
        if (stored.ok()) {
          EXPECT_EQ(stored->record.tables.ids, ids);
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(disk->stats().broken, 0);
  EXPECT_LE(folder_.Bytes(), options.quota_bytes);
}

}  // namespace
}  // namespace hadal
