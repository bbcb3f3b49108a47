// What the tests of `cache` share: host memory for pages, and timelines over parts of every kind
// whose rows tell of which past they are.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "cache/sequence_cache.h"
#include "ops/memory.h"

namespace hadal {

class HostMemory : public Memory {
 public:
  View Allocate(std::uint64_t bytes) noexcept override {
    return HostView(std::calloc(bytes, 1), DType::kU8, {static_cast<std::int64_t>(bytes)});
  }
  void Free(const View& view) noexcept override { std::free(reinterpret_cast<void*>(view.handle)); }
  const void* Fetch(const View& view) noexcept override {
    return reinterpret_cast<const void*>(view.handle);
  }
  void Put(const View& view, const void* from, std::uint64_t bytes) noexcept override {
    std::memcpy(reinterpret_cast<void*>(view.handle), from, bytes);
  }
};

using Ids = std::vector<std::int32_t>;

// Parts of every kind; a row is a hash of the ids up to its last token, so that a row of another
// past, or one that was never written, is seen.
inline CacheLayout EveryKind() {
  CacheLayout layout;
  const auto add = [&layout](std::int64_t tokens_per_entry, CacheWindow window, bool tail_only) {
    CachePartLayout part;
    part.dtype = DType::kU8;
    part.packed_bytes = sizeof(std::uint64_t);
    part.width = 1;
    part.tokens_per_entry = tokens_per_entry;
    part.window = window;
    part.tail_only = tail_only;
    if (tail_only) part.page_rows = 16;
    layout.parts.push_back(part);
  };
  add(1, {}, false);
  add(4, {}, false);
  add(128, {}, false);
  add(1, {40, 1}, false);
  add(1, {8, 4}, true);
  add(1, {128, 128}, true);
  add(1, {2, 2}, true);
  layout.rollback_tokens = 24;
  layout.snapshot_alignment = 128;
  layout.snapshot_tokens = 512;
  return layout;
}

inline constexpr std::uint64_t kPoison = 0xdeaddeaddeaddeadull;

inline std::uint64_t* Row(const PagedRows& rows, std::int64_t at) {
  const auto page = static_cast<std::size_t>(at / rows.page_rows - rows.first_page);
  EXPECT_LT(page, rows.pages.size());
  EXPECT_NE(rows.pages[page], 0u);
  return reinterpret_cast<std::uint64_t*>(rows.pages[page]) + at % rows.page_rows;
}

// Hash of the first n ids, for every n.
inline std::vector<std::uint64_t> Hashes(std::span<const std::int32_t> ids) {
  std::vector<std::uint64_t> hashes{1469598103934665603ull};
  for (const std::int32_t id : ids)
    hashes.push_back((hashes.back() ^ static_cast<std::uint64_t>(id)) * 1099511628211ull);
  return hashes;
}

// One step; false where there was no room.
inline bool TakeStep(SequenceCache* cache, std::span<const std::int32_t> ids) {
  const auto count = static_cast<std::int64_t>(ids.size());
  if (!cache->Reserve(count).ok()) return false;
  Ids all(cache->ids().begin(), cache->ids().end());
  all.insert(all.end(), ids.begin(), ids.end());
  const std::vector<std::uint64_t> hashes = Hashes(all);
  for (std::size_t i = 0; i < cache->parts(); ++i) {
    const CachePartLayout& part = cache->layout().parts[i];
    const PagedRows rows = cache->Part(i);
    const std::int64_t first = cache->StoreFrom(i), end = part.rows(cache->length() + count);
    EXPECT_GE(first, part.rows(cache->length()));
    if (first >= end) continue;
    // What a page held before must not pass for what this step had to write.
    const std::int64_t page_begin = first / part.page_rows * part.page_rows;
    const std::int64_t page_end = CeilDiv(end, part.page_rows) * part.page_rows;
    for (std::int64_t r = std::max(page_begin, part.rows(cache->length())); r < page_end; ++r)
      *Row(rows, r) = kPoison;
    for (std::int64_t r = first; r < end; ++r)
      *Row(rows, r) = hashes[static_cast<std::size_t>((r + 1) * part.tokens_per_entry)];
  }
  cache->Advance(ids);
  return true;
}

// Every row that the next token may read.
inline void ExpectReadable(const SequenceCache& cache) {
  const std::vector<std::uint64_t> hashes = Hashes(cache.ids());
  for (std::size_t i = 0; i < cache.parts(); ++i) {
    const CachePartLayout& part = cache.layout().parts[i];
    const PagedRows rows = cache.Part(i);
    for (std::int64_t r = part.window.NeedFrom(cache.length()); r < part.rows(cache.length()); ++r)
      ASSERT_EQ(*Row(rows, r), hashes[static_cast<std::size_t>((r + 1) * part.tokens_per_entry)])
          << "part " << i << ", row " << r << " of a timeline of " << cache.length();
  }
}

}  // namespace hadal
