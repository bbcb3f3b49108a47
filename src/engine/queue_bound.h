// QueueBound: how much may wait. Thread-safe: requests enter on the threads of those who ask and
// leave on the loop's.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/status.h"

namespace hadal {

struct QueueBoundOptions {
  std::int64_t requests = 0;  // most that wait; 0: no bound
  std::int64_t tokens = 0;    // of their prompts together; 0: no bound
};

class QueueBound {
 public:
  explicit QueueBound(QueueBoundOptions options) : options_(options) {}

  // kBusy where the queue is full. One tenant may fill three quarters of it, so that a flood of one
  // leaves room for others. A queue that is empty takes a request of any size.
  Status Enter(const std::string& tenant, std::int64_t tokens);
  void Leave(const std::string& tenant, std::int64_t tokens);

  struct Load {
    std::int64_t requests = 0, tokens = 0;
    std::int64_t accepted = 0, refused = 0;  // so far
    std::map<std::string, std::int64_t> by_tenant = {};
  };
  Load load() const;

 private:
  const QueueBoundOptions options_;
  mutable std::mutex mutex_;
  Load load_;  // guarded by mutex_
};

}  // namespace hadal
