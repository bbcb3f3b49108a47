#include "base/thread_pool.h"

#include <algorithm>

#include "base/check.h"

namespace hadal {
namespace {

// How long a worker looks for the next region before it sleeps: regions of one decode step follow
// each other within microseconds, while an idle server must not burn a core.
constexpr int kSpins = 20000;

inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = UsableCores();
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { Work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_.store(true);
    region_.fetch_add(1);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::DrainTasks() {
  while (true) {
    const std::int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
    if (task >= tasks_) return;
    (*fn_)(task);
  }
}

void ThreadPool::Run(std::int64_t tasks, const std::function<void(std::int64_t)>& fn) {
  if (tasks <= 0) return;
  if (workers_.empty() || tasks == 1) {
    for (std::int64_t task = 0; task < tasks; ++task) fn(task);
    return;
  }
  fn_ = &fn;
  tasks_ = tasks;
  next_.store(0, std::memory_order_relaxed);
  open_.store(true);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    region_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  DrainTasks();
  // Sequentially consistent, as the worker's pair is: either it sees the region closed, or we see
  // it busy.
  open_.store(false);
  // Workers signal by the counter alone; a region is short, so the caller spins and then yields.
  for (int spins = 0; busy_.load() != 0; ++spins) {
    if (spins < kSpins)
      Pause();
    else
      std::this_thread::yield();
  }
}

void ThreadPool::Work() {
  std::uint64_t seen = 0;
  while (true) {
    int spins = 0;
    while (region_.load(std::memory_order_acquire) == seen) {
      if (++spins < kSpins) {
        Pause();
        continue;
      }
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return region_.load(std::memory_order_acquire) != seen; });
    }
    seen = region_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    busy_.fetch_add(1);
    if (open_.load()) DrainTasks();
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace hadal
