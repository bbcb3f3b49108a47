// The disk tier under kill -9 at every step and byte, under writes that fail, and the order of its
// syncs (faults D-04, D-05, D-06 of the reference). This program stands between the library and
// the system: it defines the calls that change a disk, counts them, and kills or fails at one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <set>

#include "base/random.h"
#include "cache/prefix_disk_test_data.h"

namespace hadal {
namespace {

constexpr std::int64_t kNever = -1;

// What happens to the calls of this process.
struct Fault {
  bool watched = false;           // else calls go through
  std::int64_t kill_at = kNever;  // this call: half of a write, and dead
  std::int64_t kill_at_byte = kNever;
  std::int64_t fail_at = kNever;
  std::int64_t calls = 0, bytes = 0;
  // Order of syncs: files that were written to and not synced, by inode; names not synced.
  std::set<ino_t> unsynced;
  bool unsynced_names = false, wrong_order = false;
} fault;

[[noreturn]] void Die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

// True: this call fails.
bool AtCall() {
  const std::int64_t call = fault.calls++;
  if (call == fault.kill_at) Die();
  return call == fault.fail_at;
}

ino_t InodeOf(int descriptor) {
  struct stat info{};
  return ::fstat(descriptor, &info) == 0 ? info.st_ino : 0;
}

ssize_t Written(int descriptor, const void* from, std::size_t count) {
  return ::syscall(SYS_write, descriptor, from, count);
}

int Answer(int error) {
  errno = error;
  return -1;
}

}  // namespace
}  // namespace hadal

#define HADAL_INTERPOSED extern "C" __attribute__((visibility("default")))

HADAL_INTERPOSED ssize_t write(int descriptor, const void* from, std::size_t count) {
  using namespace hadal;
  if (!fault.watched) return Written(descriptor, from, count);
  if (fault.calls == fault.kill_at) (void)Written(descriptor, from, count / 2);
  if (AtCall()) {
    (void)Written(descriptor, from, count / 2);
    return Answer(ENOSPC);
  }
  if (fault.kill_at_byte != kNever &&
      fault.bytes + static_cast<std::int64_t>(count) > fault.kill_at_byte) {
    (void)Written(descriptor, from, static_cast<std::size_t>(fault.kill_at_byte - fault.bytes));
    Die();
  }
  fault.bytes += static_cast<std::int64_t>(count);
  fault.unsynced.insert(InodeOf(descriptor));
  return Written(descriptor, from, count);
}

// What a killed process wrote stays in the system: syncing is counted, not done.
HADAL_INTERPOSED int fsync(int descriptor) {
  using namespace hadal;
  if (fault.watched) {
    if (AtCall()) return Answer(EIO);
    struct stat info{};
    if (::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode))
      fault.unsynced_names = false;
    else
      fault.unsynced.erase(InodeOf(descriptor));
  }
  return 0;
}

HADAL_INTERPOSED int rename(const char* from, const char* to) noexcept {
  using namespace hadal;
  if (fault.watched) {
    if (AtCall()) return Answer(ENOSPC);
    struct stat info{};
    fault.wrong_order |= ::stat(from, &info) == 0 && fault.unsynced.count(info.st_ino) > 0;
    fault.unsynced_names = true;
  }
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

HADAL_INTERPOSED int unlink(const char* path) noexcept {
  using namespace hadal;
  if (fault.watched && AtCall()) return Answer(EACCES);
  return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

HADAL_INTERPOSED int remove(const char* path) noexcept {
  struct stat info{};
  if (::lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) return ::rmdir(path);
  return ::unlink(path);
}

namespace hadal {
namespace {

constexpr std::uint64_t kPrompts = 8;

class PrefixDiskKillTest : public ::testing::Test {
 protected:
  PrefixDiskKillTest() {
    for (std::uint64_t i = 0; i < kPrompts; ++i) {
      snapshots_.push_back(lines_.Made(DiskTimelines::Prompt(i)));
      images_.push_back(std::make_unique<SnapshotImage>("s", snapshots_.back()));
    }
  }

  // A server's life: opens the folder and stores the prompts from `first` on. Tells each one that
  // is there then.
  template <typename Acknowledged>
  void Live(std::uint64_t quota_bytes, std::uint64_t first, const Acknowledged& acknowledged) {
    PrefixDiskOptions options = DiskOptions(folder_);
    options.quota_bytes = quota_bytes;
    options.retry_seconds = 0.0;
    auto disk = PrefixDisk::Open(options);
    if (!disk.ok()) return;
    for (std::uint64_t i = first; i < kPrompts; ++i) {
      const auto stored = (*disk)->Store(*images_[i], 0.0);
      if (stored.ok() && *stored <= DiskStored::kAlreadyThere) acknowledged(i);
    }
  }

  // Lives in a child that is killed; the prompts that it acknowledged.
  std::vector<std::uint64_t> LiveAndDie(std::uint64_t quota_bytes, std::uint64_t first,
                                        const Fault& planned) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      fault = planned;
      fault.watched = true;
      Live(quota_bytes, first, [&ends](std::uint64_t i) {
        const auto one = static_cast<unsigned char>(i);
        (void)Written(ends[1], &one, 1);
      });
      Die();
    }
    ::close(ends[1]);
    std::vector<std::uint64_t> acknowledged;
    for (unsigned char one = 0; ::read(ends[0], &one, 1) == 1;) acknowledged.push_back(one);
    ::close(ends[0]);
    int state = 0;
    EXPECT_EQ(::waitpid(child, &state, 0), child);
    EXPECT_TRUE(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL) << state;
    return acknowledged;
  }

  // After the restart: what was acknowledged is there, nothing is torn, nothing is left over.
  void ExpectWhole(const std::vector<std::uint64_t>& acknowledged, std::uint64_t quota_bytes) {
    PrefixDiskOptions options = DiskOptions(folder_);
    options.quota_bytes = quota_bytes;
    auto disk = PrefixDisk::Open(options);
    ASSERT_TRUE(disk.ok());
    EXPECT_FALSE((*disk)->read_only());
    EXPECT_EQ((*disk)->stats().broken, 0);
    EXPECT_TRUE(folder_.Files(".tmp.").empty());
    EXPECT_LE(folder_.Bytes(), quota_bytes);
    for (std::uint64_t i = 0; i < kPrompts; ++i) {
      const Ids ids = DiskTimelines::Prompt(i);
      const std::int64_t restored = lines_.Restored(disk->get(), "s", ids);
      EXPECT_GE(restored, 0) << "prompt " << i;
      if (std::find(acknowledged.begin(), acknowledged.end(), i) != acknowledged.end()) {
        EXPECT_EQ(restored, std::ssize(ids)) << "prompt " << i << " was acknowledged";
      }
    }
  }

  // A whole life without a fault, in this process: how many calls and bytes it has.
  Fault Measured(std::uint64_t quota_bytes) {
    fault = {};
    fault.watched = true;
    Live(quota_bytes, 0, [](std::uint64_t) {
      fault.wrong_order |= fault.unsynced_names || !fault.unsynced.empty();
    });
    const Fault measured = std::exchange(fault, {});
    std::filesystem::remove_all(folder_.path());
    return measured;
  }

  static constexpr std::uint64_t kPlenty = 1 << 30;
  DiskFolder folder_{"kill"};
  DiskTimelines lines_;
  std::vector<std::shared_ptr<const CacheSnapshot>> snapshots_;
  std::vector<std::unique_ptr<SnapshotImage>> images_;
};

TEST_F(PrefixDiskKillTest, D06_NothingIsNamedOrAcknowledgedBeforeItIsSynced) {
  const Fault measured = Measured(kPlenty);
  EXPECT_FALSE(measured.wrong_order);
  EXPECT_GT(measured.calls, static_cast<std::int64_t>(kPrompts) * 8);
}

TEST_F(PrefixDiskKillTest, D05_KilledAtEveryCall) {
  const std::int64_t calls = Measured(kPlenty).calls;
  for (std::int64_t at = 0; at < calls; ++at) {
    Fault planned;
    planned.kill_at = at;
    const auto acknowledged = LiveAndDie(kPlenty, 0, planned);
    ExpectWhole(acknowledged, kPlenty);
    ASSERT_FALSE(HasFailure()) << "killed at call " << at << " of " << calls;
    std::filesystem::remove_all(folder_.path());
  }
}

// 200 lives in one folder that has room for about half of the prompts, each killed at a random
// byte.
TEST_F(PrefixDiskKillTest, D05_KilledAtRandomBytes) {
  const std::uint64_t quota = static_cast<std::uint64_t>(Measured(kPlenty).bytes) / 2;
  const std::int64_t bytes = Measured(quota).bytes;
  Random random(77);
  std::size_t acknowledged_in_all = 0;
  for (int life = 0; life < 200; ++life) {
    Fault planned;
    planned.kill_at_byte =
        static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(bytes)));
    auto acknowledged = LiveAndDie(quota, random.Below(kPrompts), planned);
    acknowledged_in_all += acknowledged.size();
    // The last one is the newest, so that the quota has not taken it.
    if (acknowledged.size() > 1) acknowledged.erase(acknowledged.begin(), acknowledged.end() - 1);
    ExpectWhole(acknowledged, quota);
    ASSERT_FALSE(HasFailure()) << "life " << life << ", killed at byte " << planned.kill_at_byte;
    if (life % 10 == 9) std::filesystem::remove_all(folder_.path());
  }
  EXPECT_GT(acknowledged_in_all, 50u);
}

// A disk that is full, or broken, at one call: that snapshot is lost at most.
TEST_F(PrefixDiskKillTest, D04_FailsAtEveryCallAndGoesOn) {
  const std::int64_t calls = Measured(kPlenty).calls;
  for (std::int64_t at = 0; at < calls; ++at) {
    fault = {};
    fault.watched = true;
    fault.fail_at = at;
    std::vector<std::uint64_t> acknowledged;
    Live(kPlenty, 0, [&acknowledged](std::uint64_t i) { acknowledged.push_back(i); });
    fault = {};
    EXPECT_GE(acknowledged.size() + 1, kPrompts) << at;
    ExpectWhole(acknowledged, kPlenty);
    ASSERT_FALSE(HasFailure()) << "call " << at << " of " << calls << " failed";
    std::filesystem::remove_all(folder_.path());
  }
}

}  // namespace
}  // namespace hadal
