#include "serve/admission.h"

namespace hadal {
namespace {

// A guess at when a place is free again: an answer takes seconds.
constexpr int kComeBackSeconds = 2;

ApiError Full(const std::string& message, const std::string& code) {
  return {.kind = ErrorKind::kRateLimited,
          .message = message,
          .code = code,
          .retry_after_seconds = kComeBackSeconds};
}

}  // namespace

ApiResult<std::shared_ptr<Admission::Ticket>> Admission::Enter(const ApiKey& key,
                                                               std::int64_t answers) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (calls_ + answers > limits_.most_calls)
    return Full("the server's queue is full (" + std::to_string(limits_.most_calls) + " answers)",
                "queue_full");
  std::int64_t& own = calls_by_key_[key.name];
  if (own + answers > key.most_calls)
    return Full(
        "this key may have " + std::to_string(key.most_calls) + " answers running and waiting",
        "key_limit");
  own += answers;
  calls_ += answers;
  return std::make_shared<Ticket>(this, key.name, answers);
}

std::int64_t Admission::calls() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return calls_;
}

void Admission::Leave(const std::string& key, std::int64_t answers) {
  const std::lock_guard<std::mutex> lock(mutex_);
  calls_ -= answers;
  const auto own = calls_by_key_.find(key);
  if (own != calls_by_key_.end() && (own->second -= answers) <= 0) calls_by_key_.erase(own);
}

}  // namespace hadal
