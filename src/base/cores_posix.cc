// How many cores the process may use (Linux: affinity mask and cgroup quota).
#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#include "base/thread_pool.h"

namespace hadal {
namespace {

// Whole cores granted by the container's CPU quota; 0 where there is none. cgroup v2, then v1.
int QuotaCores() {
  std::string quota, period;
  if (std::ifstream file("/sys/fs/cgroup/cpu.max"); file >> quota >> period) {
    if (quota == "max") return 0;
  } else {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  const auto number = [](const std::string& text) -> long {
    return text.empty() || text.size() > 12 || text.find_first_not_of("0123456789") != text.npos
               ? 0
               : std::stol(text);
  };
  const long granted = number(quota), each = number(period);
  if (granted <= 0 || each <= 0) return 0;
  return static_cast<int>(std::max(1L, granted / each));
}

}  // namespace

int UsableCores() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) cores = CPU_COUNT(&mask);
#endif
  if (const int quota = QuotaCores(); quota > 0) cores = std::min(cores, quota);
  return std::max(cores, 1);
}

}  // namespace hadal
