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

ThreadPool::ThreadPool(int threads)
    : shares_(static_cast<std::size_t>(threads > 0 ? threads : UsableCores())) {
  for (std::size_t i = 1; i < shares_.size(); ++i) workers_.emplace_back([this, i] { Work(i); });
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

void ThreadPool::DrainTasks(std::size_t own) {
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    Share& share = shares_[(own + i) % shares_.size()];
    while (true) {
      const std::int64_t task = share.next.fetch_add(1, std::memory_order_relaxed);
      if (task >= share.end) break;
      (*fn_)(task);
    }
  }
}

void ThreadPool::Run(std::int64_t tasks, const std::function<void(std::int64_t)>& fn) {
  if (tasks <= 0) return;
  if (workers_.empty() || tasks == 1) {
    for (std::int64_t task = 0; task < tasks; ++task) fn(task);
    return;
  }
  fn_ = &fn;
  const auto threads = std::ssize(shares_);
  for (std::int64_t i = 0; i < threads; ++i) {
    Share& share = shares_[static_cast<std::size_t>(i)];
    // Written so that no product can overflow.
    const auto first = [&](std::int64_t t) {
      return tasks / threads * t + std::min(t, tasks % threads);
    };
    share.next.store(first(i), std::memory_order_relaxed);
    share.end = first(i + 1);
  }
  open_.store(true);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    region_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  DrainTasks(0);
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

void ThreadPool::Work(std::size_t own) {
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
    if (open_.load()) DrainTasks(own);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace hadal
