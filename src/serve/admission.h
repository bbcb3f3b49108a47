// Admission: how many calls may run and wait, in all and for one key. A pure count; the engine
// schedules what is admitted. Any thread may call.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "serve/api_error.h"
#include "serve/api_key.h"

namespace hadal {

struct AdmissionLimits {
  std::int64_t most_calls = 512;  // running and waiting, of all keys
};

class Admission {
 public:
  explicit Admission(AdmissionLimits limits) : limits_(limits) {}

  // A place among those that run and wait, given back when it goes away. It outlives no Admission.
  class Ticket {
   public:
    Ticket(Admission* admission, std::string key, std::int64_t answers)
        : admission_(admission), key_(std::move(key)), answers_(answers) {}
    ~Ticket() { admission_->Leave(key_, answers_); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

   private:
    Admission* admission_;
    std::string key_;
    std::int64_t answers_;
  };

  // kRateLimited, with a time to come back, where the queue or the key's share is full.
  ApiResult<std::shared_ptr<Ticket>> Enter(const ApiKey& key, std::int64_t answers);
  std::int64_t calls() const;

 private:
  void Leave(const std::string& key, std::int64_t answers);

  const AdmissionLimits limits_;
  mutable std::mutex mutex_;
  std::int64_t calls_ = 0;
  std::map<std::string, std::int64_t> calls_by_key_;
};

}  // namespace hadal
