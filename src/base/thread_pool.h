// A pool that runs one parallel region at a time: Run(tasks, fn) calls fn(task) once for every task
// in [0, tasks), spread over the threads, and returns when all are done.
//
// Each thread begins with a run of neighbouring tasks of its own, so that what a task asks memory
// for ahead of its end is what its thread needs next; who is done early takes tasks of the others.
// Which thread runs a task is not defined, so a task must own its outputs: threads split outputs,
// never reductions (docs/architecture.md section 5).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hadal {

// Cores that this process may use: affinity and the container's quota, at least 1.
int UsableCores();

class ThreadPool {
 public:
  // `threads` counts the caller, which works too; 0 means UsableCores().
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Not reentrant: called by one thread at a time, and never from inside a task.
  void Run(std::int64_t tasks, const std::function<void(std::int64_t task)>& fn);

 private:
  // The tasks that a thread begins with; others take from the same counter.
  struct alignas(64) Share {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };

  void Work(std::size_t own);
  void DrainTasks(std::size_t own);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> region_{0};  // counts regions; workers wait for the next
  std::atomic<bool> stop_{false};
  // The region in progress. Workers that come while it is open count themselves in, and the caller
  // waits for those alone: a worker that the system has not woken yet delays nobody.
  const std::function<void(std::int64_t)>* fn_ = nullptr;
  std::vector<Share> shares_;  // the caller's first
  std::atomic<bool> open_{false};
  std::atomic<int> busy_{0};
};

}  // namespace hadal
