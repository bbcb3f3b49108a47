// An exchange without a network, for tests of handlers and writers. The strand is a queue that the
// test runs itself: Wait() until the answer is complete. Handlers may answer from any thread; what
// was sent is the test's to read afterwards.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "serve/exchange.h"

namespace hadal {

class FakeExchange : public Exchange {
 public:
  FakeExchange() {
    request_.method = "POST";
    request_.path = "/v1/chat/completions";
    request_.headers.Add("Content-Type", "application/json");
    request_.id = "req-test";
    request_.key = Anonymous();
  }

  HttpRequest& request() override { return request_; }
  void Send(HttpResponse response) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    sent_ = std::move(response);
    Complete();
  }
  void Begin(int status, HttpHeaders headers, std::string heartbeat) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    sent_.status = status;
    sent_.headers = std::move(headers);
    heartbeat_ = std::move(heartbeat);
    streamed_ = true;
  }
  bool Write(std::string piece) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (gone_) return false;
    pieces_.push_back(piece);
    sent_.body += piece;
    return true;
  }
  void Finish() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    Complete();
  }
  void OnGone(std::function<void()> callback) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    on_gone_ = std::move(callback);
  }
  bool gone() const override { return gone_; }
  void Post(std::function<void()> work) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(work));
    wake_.notify_one();  // with the lock: the exchange may be gone right after it
  }
  void After(double seconds, std::function<void()> work) override {
    timers_.emplace_back(seconds, std::move(work));
  }

  // The client goes away.
  void Leave() {
    std::function<void()> callback;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      gone_ = true;
      callback = std::exchange(on_gone_, nullptr);
    }
    if (callback) callback();
  }
  // Runs what was posted so far.
  void RunPosted() {
    std::deque<std::function<void()>> posted;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      posted.swap(queue_);
    }
    for (const auto& work : posted) work();
  }
  // Waits for what is posted next, and runs it. False where nothing comes.
  bool RunOne(std::chrono::seconds most = std::chrono::seconds(60)) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!wake_.wait_for(lock, most, [this] { return !queue_.empty(); })) return false;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    return true;
  }
  // Runs what was posted until the answer is complete and nothing is left, or the time is up.
  bool Wait(double seconds = 30) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (true) {
      std::unique_lock<std::mutex> lock(mutex_);
      if (!wake_.wait_until(lock, end, [this] { return !queue_.empty() || complete_; }))
        return complete_;
      if (queue_.empty()) return true;
      const auto work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
  }

  bool complete() const { return complete_; }
  bool streamed() const { return streamed_; }
  const HttpResponse& sent() const { return sent_; }
  const std::vector<std::string>& pieces() const { return pieces_; }
  std::vector<std::pair<double, std::function<void()>>>& timers() { return timers_; }

 private:
  void Complete() {
    complete_ = true;
    on_gone_ = nullptr;
    wake_.notify_one();  // with the lock, as in Post
  }

  HttpRequest request_;
  HttpResponse sent_;
  std::vector<std::string> pieces_;
  std::string heartbeat_;
  bool complete_ = false, streamed_ = false;
  std::atomic<bool> gone_{false};
  std::function<void()> on_gone_;
  std::vector<std::pair<double, std::function<void()>>> timers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
};

}  // namespace hadal
