// MergeQueue: the order of byte pair merges in a long piece. The lowest rank comes first, of equal
// ranks the leftmost place.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <unordered_map>
#include <vector>

namespace hadal {

// A merge makes pairs of higher rank almost always, so entries wait unsorted in a bucket of their
// rank, and a bucket is sorted once, when its turn comes: long runs of one letter take linear time.
// The few entries that come too late for their bucket go through a heap. O(n log n) in any case.
class MergeQueue {
 public:
  void Push(std::uint32_t rank, std::uint32_t place);
  // False when the queue is empty.
  bool Pop(std::uint32_t* rank, std::uint32_t* place);

 private:
  static std::uint64_t Entry(std::uint32_t rank, std::uint32_t place) {
    return static_cast<std::uint64_t>(rank) << 32 | place;
  }
  template <typename T>
  using Lowest = std::priority_queue<T, std::vector<T>, std::greater<>>;

  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> waiting_;  // by rank
  Lowest<std::uint32_t> ranks_;      // of the buckets that wait
  std::int64_t open_rank_ = -1;      // of the bucket whose turn it is
  std::vector<std::uint32_t> open_;  // its places, ascending
  std::size_t next_ = 0;             // in open_
  Lowest<std::uint64_t> late_;       // entries of ranks up to open_rank_
};

}  // namespace hadal
