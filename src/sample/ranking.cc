#include "sample/ranking.h"

#include <algorithm>

#include "base/check.h"

namespace hadal {

std::int32_t Ranking::At(std::size_t rank) {
  HADAL_CHECK(rank < weights_.size(), "a rank beyond the vocabulary");
  while (rank >= ids_.size()) Extend();
  return ids_[rank];
}

// Takes the next band of weights: a 128th of the one before, and from 2^-28 on everything.
void Ranking::Extend() {
  const float ceiling = floor_;
  floor_ = ceiling > 1.0f ? 0x1p-7f : (ceiling > 0x1p-28f ? ceiling * 0x1p-7f : -1.0f);
  const auto first = static_cast<std::ptrdiff_t>(ids_.size());
  for (std::size_t id = 0; id < weights_.size(); ++id)
    if (weights_[id] < ceiling && weights_[id] >= floor_)
      ids_.push_back(static_cast<std::int32_t>(id));
  std::sort(ids_.begin() + first, ids_.end(), [this](std::int32_t a, std::int32_t b) {
    const float wa = weights_[static_cast<std::size_t>(a)];
    const float wb = weights_[static_cast<std::size_t>(b)];
    return wa != wb ? wa > wb : a < b;
  });
}

}  // namespace hadal
