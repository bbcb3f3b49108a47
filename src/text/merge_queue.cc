#include "text/merge_queue.h"

#include <algorithm>

namespace hadal {

void MergeQueue::Push(std::uint32_t rank, std::uint32_t place) {
  if (rank <= open_rank_) return late_.push(Entry(rank, place));
  std::vector<std::uint32_t>& bucket = waiting_[rank];
  if (bucket.empty()) ranks_.push(rank);
  bucket.push_back(place);
}

bool MergeQueue::Pop(std::uint32_t* rank, std::uint32_t* place) {
  if (next_ == open_.size() && late_.empty()) {
    if (ranks_.empty()) return false;
    open_rank_ = ranks_.top();
    ranks_.pop();
    const auto bucket = waiting_.find(static_cast<std::uint32_t>(open_rank_));
    open_ = std::move(bucket->second);
    waiting_.erase(bucket);
    if (!std::is_sorted(open_.begin(), open_.end())) std::sort(open_.begin(), open_.end());
    next_ = 0;
  }
  std::uint64_t entry = UINT64_MAX;
  if (next_ < open_.size()) entry = Entry(static_cast<std::uint32_t>(open_rank_), open_[next_]);
  if (!late_.empty() && late_.top() < entry) {
    entry = late_.top();
    late_.pop();
  } else {
    ++next_;
  }
  *rank = static_cast<std::uint32_t>(entry >> 32);
  *place = static_cast<std::uint32_t>(entry);
  return true;
}

}  // namespace hadal
