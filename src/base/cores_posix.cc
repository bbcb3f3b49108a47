// How many cores the process may use (Linux: affinity mask and control groups).
#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include "base/control_groups.h"
#include "base/thread_pool.h"

namespace hadal {
namespace {

// By core number whether this thread, and so the threads that it starts, may run there.
std::vector<bool> AffinityMask() {
#if defined(__linux__)
  for (int most = 1024; most <= 1 << 16;
       most *= 2) {  // the kernel refuses a mask that is too short
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(
        CPU_ALLOC(static_cast<std::size_t>(most)), [](cpu_set_t* mask) { CPU_FREE(mask); });
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(most));
    if (set == nullptr || sched_getaffinity(0, bytes, set.get()) != 0) continue;
    std::vector<bool> mask(static_cast<std::size_t>(most));
    for (std::size_t core = 0; core < mask.size(); ++core)
      mask[core] = CPU_ISSET_S(core, bytes, set.get());
    return mask;
  }
#endif
  return std::vector<bool>(std::max(1u, std::thread::hardware_concurrency()), true);
}

}  // namespace

int UsableCores() {
  const CoreLimits limits = ReadCoreLimits();
  const std::vector<bool> mask = AffinityMask();
  int cores = 0;
  for (std::size_t core = 0; core < mask.size(); ++core) {
    const bool allowed =
        !limits.allowed || (core < limits.allowed->size() && (*limits.allowed)[core]);
    if (mask[core] && allowed) ++cores;
  }
  if (limits.quota > 0) cores = std::min(cores, limits.quota);
  return std::max(cores, 1);
}

}  // namespace hadal
