// ExpertCounter: how many rows each expert of each layer got. Off until asked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "model/batch.h"

namespace hadal {

// The step's thread observes; any thread may switch it and read.
class ExpertCounter : public StepObserver {
 public:
  void Enable(bool on) { on_.store(on, std::memory_order_relaxed); }
  // What a step is to be given: null while it is off.
  StepObserver* observer() { return on_.load(std::memory_order_relaxed) ? this : nullptr; }

  void Experts(int layer, std::int64_t rows, std::int64_t per_token,
               const std::int32_t* ids) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto at = static_cast<std::size_t>(layer);
    if (rows_.size() <= at) rows_.resize(at + 1);
    for (std::int64_t i = 0; i < rows * per_token; ++i) {
      if (ids[i] < 0) continue;  // fewer experts than usual
      const auto expert = static_cast<std::size_t>(ids[i]);
      if (rows_[at].size() <= expert) rows_[at].resize(expert + 1);
      ++rows_[at][expert];
    }
  }
  std::vector<std::vector<std::int64_t>> rows() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return rows_;
  }

 private:
  std::atomic<bool> on_{false};
  mutable std::mutex mutex_;
  std::vector<std::vector<std::int64_t>> rows_;  // [layer][expert]; guarded by mutex_
};

}  // namespace hadal
