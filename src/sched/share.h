// What the planner knows of one request while a plan is made. Internal to the room.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sched/schedule.h"

namespace hadal {

struct Share {
  const QueueEntry* entry = nullptr;
  std::int64_t cached = 0;  // 0 after it gave its pages back
  bool admitted = false;
  bool out = false;  // gave way in this plan: may not come back in it
  std::int64_t rows = 0, draft_rows = 0;

  // Known tokens without a row.
  std::int64_t pending() const { return entry->pending_tokens + entry->cached_tokens - cached; }
};

// Requests stand in one order that never changes: by arrival, with each level of priority counting
// as so many steps of waiting. Who stands further back gives way. Whatever arrives later, only
// finitely many ever stand in front of a request.
inline bool StandsBefore(const QueueEntry& a, const QueueEntry& b, const Budget& budget) {
  const auto key = [&budget](const QueueEntry& entry) {
    return static_cast<std::int64_t>(entry.arrived_step) - entry.priority * budget.aging_steps;
  };
  return key(a) != key(b) ? key(a) < key(b) : a.id < b.id;
}

// Divides `left` among units that want some: equal parts, as far as each wants. `give(unit, n)`
// hands a unit at most n and says how much it took; less than n: it wants no more. Returns the
// rest. What does not divide goes to the first units.
template <typename Units, typename Give>
std::int64_t Spread(Units units, std::int64_t left, const Give& give) {
  while (left > 0 && !units.empty()) {
    const std::int64_t part = std::max<std::int64_t>(1, left / std::ssize(units));
    std::erase_if(units, [&](auto& unit) {
      if (left == 0) return false;
      const std::int64_t asked = std::min(part, left);
      const std::int64_t took = give(unit, asked);
      left -= took;
      return took < asked;
    });
  }
  return left;
}

}  // namespace hadal
