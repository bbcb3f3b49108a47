#include "engine/queue_bound.h"

namespace hadal {
namespace {

Status Full(const std::string& found, const std::string& expected) {
  return Status(Code::kBusy, "queue", found, expected, "try again in a moment");
}

}  // namespace

Status QueueBound::Enter(const std::string& tenant, std::int64_t tokens) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = load_.by_tenant.find(tenant);
  const std::int64_t own = found == load_.by_tenant.end() ? 0 : found->second;
  const std::int64_t part = options_.requests - options_.requests / 4;
  Status refusal;
  if (options_.requests > 0 && load_.requests >= options_.requests)
    refusal = Full(std::to_string(load_.requests) + " requests that wait",
                   "fewer than " + std::to_string(options_.requests));
  else if (options_.requests > 0 && own >= part)
    refusal = Full(std::to_string(own) + " requests of this client that wait",
                   "fewer than " + std::to_string(part));
  else if (options_.tokens > 0 && load_.tokens > 0 && tokens > options_.tokens - load_.tokens)
    refusal = Full(std::to_string(load_.tokens) + " tokens of prompts that wait",
                   "at most " + std::to_string(options_.tokens) + " with this request");
  if (!refusal.ok()) {
    ++load_.refused;
    return refusal;
  }
  ++load_.accepted;
  ++load_.requests;
  load_.tokens += tokens;
  ++load_.by_tenant[tenant];
  return {};
}

void QueueBound::Leave(const std::string& tenant, std::int64_t tokens) {
  const std::lock_guard<std::mutex> lock(mutex_);
  --load_.requests;
  load_.tokens -= tokens;
  const auto found = load_.by_tenant.find(tenant);
  if (--found->second == 0) load_.by_tenant.erase(found);
}

QueueBound::Load QueueBound::load() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return load_;
}

}  // namespace hadal
