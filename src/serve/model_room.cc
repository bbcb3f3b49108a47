#include "serve/model_room.h"

#include <algorithm>

namespace hadal {

std::optional<std::vector<std::size_t>> ChooseToUnload(std::uint64_t budget, std::uint64_t needed,
                                                       std::span<const RoomRow> rows) {
  std::vector<std::size_t> chosen;
  if (budget == 0) return chosen;
  // Sums saturate: estimates come from headers that anybody may have written.
  const auto add = [](std::uint64_t a, std::uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
  };
  std::vector<std::size_t> may_go;
  std::uint64_t kept = needed;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].may_go)
      may_go.push_back(i);
    else
      kept = add(kept, rows[i].bytes);
  if (kept > budget) return std::nullopt;
  std::stable_sort(may_go.begin(), may_go.end(), [&rows](std::size_t a, std::size_t b) {
    return rows[a].last_used < rows[b].last_used;
  });
  // From the youngest on, what still fits beside the rest stays; older ones than one that goes go
  // with it, so that the order is that of use alone.
  std::size_t stay = may_go.size();
  for (std::uint64_t held = kept; stay > 0; --stay) {
    held = add(held, rows[may_go[stay - 1]].bytes);
    if (held > budget) break;
  }
  chosen.assign(may_go.begin(), may_go.begin() + static_cast<std::ptrdiff_t>(stay));
  return chosen;
}

}  // namespace hadal
