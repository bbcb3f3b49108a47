// WriteBudget: how many bytes may be written in a time (a token bucket). A cache that wears a disk
// out or holds a machine up costs more than it saves (peers: 863 GiB written by saved caches in one
// logged period).
//
// The time comes from the caller, in seconds of a clock that does not go back; where it does, no
// time has passed. Thread-compatible.
#pragma once

#include <algorithm>
#include <cstdint>

namespace hadal {

class WriteBudget {
 public:
  // At most burst_bytes at once and bytes_per_second in the long run; 0 a second: no bound.
  WriteBudget(std::uint64_t bytes_per_second, std::uint64_t burst_bytes)
      : bytes_per_second_(static_cast<double>(bytes_per_second)),
        burst_bytes_(static_cast<double>(burst_bytes)),
        left_bytes_(burst_bytes_) {}

  // Takes so many bytes where they may be written at this time.
  bool Take(std::uint64_t bytes, double now_seconds) {
    if (bytes_per_second_ == 0.0) return true;
    if (started_ && now_seconds > last_seconds_)
      left_bytes_ =
          std::min(burst_bytes_, left_bytes_ + (now_seconds - last_seconds_) * bytes_per_second_);
    if (!started_ || now_seconds > last_seconds_) last_seconds_ = now_seconds;
    started_ = true;
    if (static_cast<double>(bytes) > left_bytes_) return false;
    left_bytes_ -= static_cast<double>(bytes);
    return true;
  }

 private:
  double bytes_per_second_, burst_bytes_, left_bytes_;
  double last_seconds_ = 0.0;
  bool started_ = false;
};

}  // namespace hadal
