// CacheReach: to which lengths a timeline can be cut back, without the timeline. Parts without a
// window allow every length; windows allow those that their held rows still serve, and the moments
// that were kept (sequence_cache.h). The tree over prefixes and the index of the disk tier choose
// by it.
//
// A plain value; safe to copy between threads.
#pragma once

#include <cstdint>
#include <vector>

#include "spec/cache_window.h"

namespace hadal {

// Rows of a bounded part that are still there.
struct HeldWindow {
  CacheWindow window;
  std::int64_t held_from = 0;

  bool operator==(const HeldWindow&) const = default;
  // Whether the next token at this length finds what it needs.
  bool Holds(std::int64_t length) const {
    const std::int64_t from = window.NeedFrom(length);
    return from >= length || from >= held_from;
  }
};

struct CacheReach {
  std::int64_t length = 0;
  std::vector<HeldWindow> windows;    // the different ones of the bounded parts
  std::vector<std::int64_t> moments;  // lengths of kept moments, ascending

  // A part that holds its rows from this one on; one without a window adds nothing.
  void Add(const HeldWindow& held);
  // What Truncate(tokens) would answer with, 0 <= tokens <= length.
  std::int64_t Usable(std::int64_t tokens) const;
  // Whether `other`, which has the first other.length tokens of this one, serves no length better.
  bool Covers(const CacheReach& other) const;
};

}  // namespace hadal
