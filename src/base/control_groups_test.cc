#include "base/control_groups.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#if defined(__linux__)
#include <sched.h>
#endif

#include "base/thread_pool.h"

namespace hadal {
namespace {

namespace fs = std::filesystem;

// A made-up tree of groups in a folder of its own.
class ControlGroups : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              ("hadal_groups_" + std::to_string(::getpid()) + "_" + test->name());
    fs::create_directories(folder_);
    files_ = {(folder_ / "cgroup").string(), (folder_ / "mountinfo").string()};
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  // A line of mountinfo: the group `root` at the folder `point`.
  std::string Mount(const std::string& root, const std::string& point, const std::string& type,
                    const std::string& options) {
    return "31 23 0:28 " + root + " " + (folder_ / point).string() +
           " rw,nosuid shared:5 master:1 - " + type + " " + type + " " + options + "\n";
  }
  int AllowedCores() {
    const CoreLimits limits = ReadCoreLimits(files_);
    if (!limits.allowed) return -1;
    return static_cast<int>(std::count(limits.allowed->begin(), limits.allowed->end(), true));
  }

  fs::path folder_;
  GroupFiles files_;
};

TEST_F(ControlGroups, NothingIsLimitedWithoutGroups) {
  EXPECT_EQ(AllowedCores(), -1);
  EXPECT_EQ(ReadCoreLimits(files_).quota, 0);
  EXPECT_EQ(GroupMemoryLeft(files_), std::nullopt);
  Write("cgroup", "0::/\n");
  Write("mountinfo", "20 1 0:1 / / rw - ext4 /dev/sda rw\n" + Mount("/", "v2", "cgroup2", "rw"));
  EXPECT_EQ(AllowedCores(), -1);
  EXPECT_EQ(ReadCoreLimits(files_).quota, 0);
}

TEST_F(ControlGroups, Version2TakesTheTightestOfAllAround) {
  Write("cgroup", "0::/outer/inner/own\n");
  Write("mountinfo", Mount("/", "v2", "cgroup2", "rw,nsdelegate"));
  Write("v2/outer/cpu.max", "600000 100000\n");
  Write("v2/outer/cpuset.cpus.effective", "0-7\n");
  Write("v2/outer/inner/cpu.max", "250000 100000\n");  // two and a half: whole ones count
  Write("v2/outer/inner/cpuset.cpus.effective", "2-4,9\n");
  Write("v2/outer/inner/own/cpu.max", "max 100000\n");
  Write("v2/outer/inner/own/cpuset.cpus.effective", "\n");
  EXPECT_EQ(ReadCoreLimits(files_).quota, 2);
  EXPECT_EQ(AllowedCores(), 3);  // 2, 3, 4: the outer group has no core 9
  Write("v2/outer/inner/own/cpu.max", "50000 100000\n");
  EXPECT_EQ(ReadCoreLimits(files_).quota, 1);  // half a core is one thread
}

TEST_F(ControlGroups, ContainersSeeTheirOwnGroupAsTheMountsRoot) {
  Write("cgroup", "0::/docker/abc\n");
  Write("mountinfo", Mount("/docker/abc", "v2", "cgroup2", "rw"));
  Write("v2/cpu.max", "300000 100000\n");
  EXPECT_EQ(ReadCoreLimits(files_).quota, 3);
  Write("cgroup", "0::/docker/abc/job\n");
  Write("v2/job/cpu.max", "200000 100000\n");
  EXPECT_EQ(ReadCoreLimits(files_).quota, 2);
  Write("cgroup", "0::/docker/abcd\n");  // another one: what is mounted is all that is known
  EXPECT_EQ(ReadCoreLimits(files_).quota, 3);
  Write("cgroup", "0::/../../elsewhere\n");
  EXPECT_EQ(ReadCoreLimits(files_).quota, 3);
}

TEST_F(ControlGroups, Version1HasATreeForEachController) {
  Write("cgroup",
        "5:memory:/m\n4:cpuset:/set\n3:cpu,cpuacct:/a/b\n2:name=systemd:/x\n0::/unified\n");
  Write("mountinfo", Mount("/", "cpuset", "cgroup", "rw,cpuset") +
                         Mount("/", "cpu acct", "cgroup", "rw,cpu,cpuacct") +
                         Mount("/", "unified", "cgroup2", "rw"));
  // A blank in a mount point is written as \040.
  std::string mounts;
  std::getline(std::ifstream(files_.mounts), mounts, '\0');
  mounts.replace(mounts.find("cpu acct"), 8, "cpu\\040acct");
  Write("mountinfo", mounts);
  Write("cpu acct/a/cpu.cfs_quota_us", "400000\n");
  Write("cpu acct/a/cpu.cfs_period_us", "100000\n");
  Write("cpu acct/a/b/cpu.cfs_quota_us", "-1\n");
  Write("cpu acct/a/b/cpu.cfs_period_us", "100000\n");
  Write("cpuset/set/cpuset.effective_cpus", "0,2,4-5\n");
  EXPECT_EQ(ReadCoreLimits(files_).quota, 4);
  EXPECT_EQ(AllowedCores(), 4);
}

TEST_F(ControlGroups, MemoryLeftIsTheTightestWithoutCachedFiles) {
  Write("cgroup", "0::/outer/own\n");
  Write("mountinfo", Mount("/", "v2", "cgroup2", "rw"));
  Write("v2/outer/own/memory.max", "max\n");
  Write("v2/outer/memory.max", "1000000\n");
  Write("v2/outer/memory.current", "900000\n");
  EXPECT_EQ(GroupMemoryLeft(files_), 100000u);
  Write("v2/outer/memory.stat", "anon 300000\ninactive_file 400000\nactive_file 200000\n");
  EXPECT_EQ(GroupMemoryLeft(files_), 700000u);
  Write("v2/outer/memory.current", "1900000\n");
  EXPECT_EQ(GroupMemoryLeft(files_), 0u);
}

TEST_F(ControlGroups, NonsenseLimitsNothing) {
  Write("cgroup", "0::/own\nx\n::\n7:cpu\n");
  Write("mountinfo", "short\n" + Mount("/", "v2", "cgroup2", "rw") + "1 2 3 - \n");
  for (const char* text : {"", "max", "1e9 100000", "-5 100000", "100000", "100000 0",
                           "99999999999999999999999 100000", "a b"}) {
    Write("v2/own/cpu.max", text);
    EXPECT_EQ(ReadCoreLimits(files_).quota, 0) << text;
  }
  for (const char* text : {"", "\n", "a", "3-1", "1-", "-1", "1,,2", "0-99999999999", "1;2"})
    EXPECT_EQ(ParseCoreList(text), std::nullopt) << text;
  EXPECT_EQ(*ParseCoreList("1"), (std::vector<bool>{false, true}));
}

TEST(UsableCores, AreThoseOfTheAffinityMask) {
  EXPECT_GE(UsableCores(), 1);
#if defined(__linux__)
  cpu_set_t before, one;
  if (sched_getaffinity(0, sizeof(before), &before) != 0) GTEST_SKIP() << "more than 1024 cores";
  CPU_ZERO(&one);
  for (std::size_t core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core)
    if (CPU_ISSET(core, &before)) CPU_SET(core, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(UsableCores(), 1);
  EXPECT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  EXPECT_LE(UsableCores(), CPU_COUNT(&before));
#endif
}

}  // namespace
}  // namespace hadal
