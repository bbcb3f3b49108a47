// What the system's control groups (containers, services) grant this process: cores, CPU time and
// memory, of its own group and of every group around it. Linux; elsewhere nothing is limited.
//
// Formats: kernel.org, admin-guide/cgroup-v2.rst (cpu.max, cpuset.cpus.effective, memory.max) and
// admin-guide/cgroup-v1 (cpu.cfs_quota_us, cpuset.effective_cpus, memory.limit_in_bytes); both
// versions may be mounted at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hadal {

// Where the process reads which groups hold it; other files in tests.
struct GroupFiles {
  std::string groups = "/proc/self/cgroup";
  std::string mounts = "/proc/self/mountinfo";
};

struct CoreLimits {
  // By core number whether it may be used; cores beyond the end may not. Nothing: all may.
  std::optional<std::vector<bool>> allowed;
  // Whole cores' worth of CPU time, at least 1; 0 where there is no quota.
  int quota = 0;
};
CoreLimits ReadCoreLimits(const GroupFiles& files = {});

// Bytes that may still be used before the tightest limit is met, cached files not counted as used;
// nothing without a limit.
std::optional<std::uint64_t> GroupMemoryLeft(const GroupFiles& files = {});

// The cores of a list such as "0-3,8"; nothing where the text is no such list, or an empty one.
std::optional<std::vector<bool>> ParseCoreList(const std::string& text);

}  // namespace hadal
