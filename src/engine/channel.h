// Channel: hands values from one thread to another, in order. Unbounded: what goes through is
// bounded by the answer that it carries.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace hadal {

template <typename T>
class Channel {
 public:
  void Push(T value) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      values_.push_back(std::move(value));
    }
    wake_.notify_one();
  }

  // Waits for the next value.
  T Pop() {
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait(lock, [this] { return !values_.empty(); });
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<T> values_;
};

}  // namespace hadal
