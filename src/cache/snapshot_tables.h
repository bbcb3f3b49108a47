// SnapshotTables: which pages a moment of a timeline is made of, as plain numbers. In memory the
// numbers are pages of a pool; in a file (snapshot_record.h) they are places in its list of pages.
//
// Plain values; safe to copy between threads.
#pragma once

#include <cstdint>
#include <vector>

namespace hadal {

// The pages of one part from the one of row held_from on: page number first_page + i is pages[i].
struct PageTable {
  std::int64_t first_page = 0;
  std::int64_t held_from = 0;  // rows from here on are there
  std::vector<std::uint32_t> pages;
};

// What the timeline held at a length: `tables` of all parts at the present one, of the bounded
// parts, in order, at a moment that it keeps.
struct SnapshotState {
  std::int64_t length = 0;
  bool stretch = false, turn = false;  // why a moment stays (sequence_cache.h)
  std::vector<PageTable> tables;
};

struct SnapshotTables {
  std::vector<std::int32_t> ids;
  std::vector<SnapshotState> states;  // the present one, then the moments by ascending length
};

}  // namespace hadal
