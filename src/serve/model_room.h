// Which loaded models make room for another one: a pure function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hadal {

struct RoomRow {
  std::uint64_t bytes = 0;     // that it holds
  bool may_go = false;         // nobody uses it, and it is not kept for good
  std::int64_t last_used = 0;  // any clock; the smallest goes first
};

// Indexes of the rows that must go so that `needed` more bytes stay within `budget` (0: no bound):
// the fewest in the order of their last use. Nothing where all that may go are not enough; then
// none should.
std::optional<std::vector<std::size_t>> ChooseToUnload(std::uint64_t budget, std::uint64_t needed,
                                                       std::span<const RoomRow> rows);

}  // namespace hadal
