#include "serve/service.h"

#include "base/check.h"

namespace hadal {

void Service::AddModel(ServedModel model) {
  HADAL_CHECK(model.engine != nullptr, "a served model needs its engine");
  const std::lock_guard<std::mutex> lock(mutex_);
  models_.push_back(std::move(model));
}

void Service::AddObserver(std::shared_ptr<CallObserver> observer) {
  observers_.push_back(std::move(observer));
}

void Service::AddObserver(std::shared_ptr<RequestObserver> observer) {
  request_observers_.push_back(std::move(observer));
}

ApiResult<ServedModel> Service::FindModel(std::string_view name) const {
  constexpr std::string_view kLatest = ":latest";
  const auto bare = [&](std::string_view text) {
    return text.ends_with(kLatest) ? text.substr(0, text.size() - kLatest.size()) : text;
  };
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const ServedModel& model : models_)
    if (name.empty() || bare(model.name) == bare(name)) return model;
  return ApiError{.kind = ErrorKind::kNotFound,
                  .message = "model '" + std::string(name) + "' not found",
                  .param = "model",
                  .code = "model_not_found"};
}

std::vector<ServedModel> Service::models() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return models_;
}

std::uint64_t Service::AddRunning(std::function<void()> abort) {
  const std::lock_guard<std::mutex> lock(mutex_);
  running_.emplace(++next_running_, std::move(abort));
  return next_running_;
}

void Service::RemoveRunning(std::uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  running_.erase(id);
}

void Service::AbortRunning() {
  std::map<std::uint64_t, std::function<void()>> running;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    running.swap(running_);
  }
  for (const auto& [id, end_call] : running) end_call();
}

}  // namespace hadal
