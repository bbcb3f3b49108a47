// The contract of the attention kernels: one job is a group of queries (consecutive rows of one
// sequence times some heads) that read the same key head. The arithmetic and its order are stated
// in ops/attention.h; a query's result depends on the query and its keys alone, so groups may be
// cut anyhow. Plain on purpose, see matmul/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "numeric/dtype.h"

namespace hadal {

// Rows of keys or values in pages of kPageTokens rows.
struct CachedRows {
  const std::uint64_t* pages = nullptr;  // host addresses
  std::uint64_t offset_bytes = 0;        // of row 0 of a page, first wanted column, within a page
  std::uint64_t row_stride_bytes = 0;
  std::int64_t width = 0;  // wanted columns
};

struct AttendJob {
  const float* q = nullptr;  // first row, first head
  std::int64_t q_row_stride = 0;
  std::int64_t q_head_stride = 0;
  float* y = nullptr;  // overwritten; holds the running sums meanwhile
  std::int64_t y_row_stride = 0;
  std::int64_t y_head_stride = 0;
  std::int64_t rows = 0;  // rows * heads <= kAttendQueries
  std::int64_t heads = 0;
  std::int64_t position = 0;  // of the first row; row i sees keys 0 .. position + i
  DType dtype = DType::kF32;  // of keys and values: kF32 or kBF16
  CachedRows keys;
  CachedRows values;
  bool values_in_keys = false;  // the value is the first values.width columns of the key
  float scale = 1.0f;
  std::byte* scratch = nullptr;  // AttendScratchBytes(keys.width, values.width), 64-byte aligned
};

inline constexpr std::int64_t kAttendQueries = 64;  // most queries of a job
inline constexpr std::int64_t kAttendKeys = 64;     // keys of a block

// Room for the scores of every query with a block of keys, and for its keys and values as f32.
constexpr std::size_t AttendScratchBytes(std::int64_t key_width, std::int64_t value_width) {
  return static_cast<std::size_t>(kAttendKeys * (kAttendQueries + key_width + value_width)) *
         sizeof(float);
}

struct AttentionTable {
  void (*attend)(const AttendJob& job) noexcept;
};

}  // namespace hadal
