// Ranking: token ids by falling weight, ids ascending among equals, sorted only as far as somebody
// looks. A choice among 129 280 tokens mostly needs the first few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hadal {

class Ranking {
 public:
  // `weights` [vocabulary] lie in [0, 1] with at least one 1; they outlive the ranking.
  explicit Ranking(std::span<const float> weights) : weights_(weights) {}

  // The id at a rank below the vocabulary.
  std::int32_t At(std::size_t rank);
  float WeightAt(std::size_t rank) { return weights_[static_cast<std::size_t>(At(rank))]; }
  std::size_t size() const { return weights_.size(); }

 private:
  void Extend();

  std::span<const float> weights_;
  std::vector<std::int32_t> ids_;  // ranked so far: all tokens with weight >= floor_
  float floor_ = 2.0f;
};

}  // namespace hadal
