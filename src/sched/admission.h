// Admission: who of those that wait comes next, and who steps aside for it. Internal to the room.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "sched/share.h"

namespace hadal {

class Admission {
 public:
  // `shares` is in the order of StandsBefore and outlives the object.
  Admission(const QueueState& state, const Budget& budget, std::vector<Share>* shares);

  std::int64_t running() const { return running_; }
  // The next that waits: of the highest priority, but for a lower one that has waited for
  // aging_steps without an admission; of the tenant with the fewest admitted requests, among equals
  // the one whose last admission is longest ago; of that one's, the first to arrive. Where nobody
  // is in place, simply the first. Null: nobody.
  Share* Next(bool let_low_ones_in) const;
  // One that steps aside for `next` where no place is free: of lower priority, or of a tenant that
  // keeps more than the other has even then. Null: nobody.
  Share* Aside(const Share& next) const;

  void Admit(Share* share);
  void Leave(Share* share);

 private:
  struct Tenant {
    std::int64_t running = 0;
    std::uint64_t admission = 0;  // number of its last one
  };
  bool WaitsIn(const Share& share, std::int32_t priority) const;
  std::int32_t PriorityOfNext(bool let_low_ones_in) const;

  const QueueState& state_;
  const Budget& budget_;
  std::vector<Share>& shares_;
  std::map<std::uint64_t, Tenant> tenants_;
  std::map<std::int32_t, std::uint64_t> admitted_step_;  // by priority
  std::uint64_t admissions_;
  std::int64_t running_ = 0;
};

}  // namespace hadal
