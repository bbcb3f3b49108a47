#include "serve/service.h"

namespace hadal {

void Service::AddObserver(std::shared_ptr<CallObserver> observer) {
  observers_.push_back(std::move(observer));
}

void Service::AddObserver(std::shared_ptr<RequestObserver> observer) {
  request_observers_.push_back(std::move(observer));
}

ApiError LoadingError() {
  return {.kind = ErrorKind::kLoading,
          .message = "Loading model",  // in these words clients of llama-server know it
          .code = "model_loading",
          .retry_after_seconds = 2};
}

std::uint64_t Service::AddRunning(RunningEntry entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  running_.emplace(++next_running_, std::move(entry));
  return next_running_;
}

void Service::RemoveRunning(std::uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  running_.erase(id);
}

void Service::AbortRunning() {
  std::map<std::uint64_t, RunningEntry> running;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    running.swap(running_);
  }
  for (const auto& [id, entry] : running) entry.end_call();
}

bool Service::EndReasoning(const std::string& key, const std::string& answer_id) {
  std::function<void()> end_reasoning;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, entry] : running_)
      if (entry.key == key && entry.answer_id == answer_id) end_reasoning = entry.end_reasoning;
  }
  if (end_reasoning) end_reasoning();
  return end_reasoning != nullptr;
}

}  // namespace hadal
