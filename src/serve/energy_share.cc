#include "serve/energy_share.h"

namespace hadal {

void EnergyShare::Advance() {
  const std::optional<double> now = joules_();
  if (now && last_ && !begin_.empty())
    per_call_ += (*now - *last_) / static_cast<double>(begin_.size());
  last_ = now;
}

void EnergyShare::Begin(const std::string& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Advance();
  begin_[call] = per_call_;
}

std::optional<double> EnergyShare::End(const std::string& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Advance();
  const auto found = begin_.find(call);
  if (found == begin_.end()) return std::nullopt;
  const double used = per_call_ - found->second;
  begin_.erase(found);
  if (!last_) return std::nullopt;
  return used;
}

}  // namespace hadal
