// The contract of the attention kernels: one job is a group of queries (consecutive rows of one
// sequence times some heads) that read the same key head. The arithmetic and its order are stated
// in ops/attention.h and ops/sparse_attention.h; a query's result depends on the query and its keys
// alone, so groups may be cut anyhow. Plain on purpose, see matmul/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cached_rows.h"

namespace hadal {

// What a query at position p sees of one cache part: entries below (p + 1) / ratio, of these the
// last `window` (0: all), of these the chosen ones.
struct AttendSource {
  CachedRows keys;
  CachedRows values;  // unused where the values lie in the keys
  std::int64_t ratio = 1;
  std::int64_t window = 0;
  // Of a job of one row: entries ascending, all of them visible; null: no choice is made.
  const std::int32_t* chosen = nullptr;
  std::int64_t chosen_count = 0;
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
  std::int64_t position = 0;  // of the first row
  AttendSource sources[2];
  int source_count = 0;
  std::int64_t key_width = 0;
  std::int64_t value_width = 0;
  bool values_in_keys = false;   // the value is the first value_width columns of the key
  const float* sinks = nullptr;  // by head of the job, or null
  float scale = 1.0f;
  std::byte* scratch = nullptr;  // AttendScratchBytes(key_width, value_width), 64-byte aligned
};

inline constexpr std::int64_t kAttendQueries = 64;  // most queries of a job
inline constexpr std::int64_t kAttendKeys = 64;     // keys of a block

inline constexpr std::int64_t kPairColumns = 32;  // sixteen lanes of pairs

// Columns as the bf16 form lays them out: whole groups, zeros behind the last column.
constexpr std::int64_t PaddedColumns(std::int64_t width) {
  return (width + kPairColumns - 1) / kPairColumns * kPairColumns;
}

// Room for the larger of both forms. f32: the scores of every query with a block of keys, the keys
// and the values as f32. bf16: see Bf16Scratch.
constexpr std::size_t AttendScratchBytes(std::int64_t key_width, std::int64_t value_width) {
  const std::int64_t key = PaddedColumns(key_width), value = PaddedColumns(value_width);
  return static_cast<std::size_t>(kAttendKeys * (2 * kAttendQueries + 2 * key + value) + key) *
         sizeof(float);
}

// Where the bf16 form keeps what, in the job's scratch.
struct Bf16Scratch {
  float* scores;  // [queries, kAttendKeys]
  float* y;       // [queries, padded value width]: running sums, in an order of the level's own
  float* row;     // [padded key width]: one row as f32
  void* weights;  // [queries, kAttendKeys] of at most 32 bits
  void* q;        // [queries, padded key width] of at most 32 bits
  void* keys;     // [kAttendKeys, padded key width] of at most 32 bits
};
struct AttentionTable {
  void (*attend)(const AttendJob& job) noexcept;       // f32
  void (*attend_bf16)(const AttendJob& job) noexcept;  // values in keys
};

namespace {

inline __attribute__((always_inline)) Bf16Scratch Bf16ScratchOf(const AttendJob& job) {
  const std::int64_t key = PaddedColumns(job.key_width), value = PaddedColumns(job.value_width);
  float* at = reinterpret_cast<float*>(job.scratch);
  const auto take = [&at](std::int64_t count) {
    float* piece = at;
    at += count;
    return piece;
  };
  Bf16Scratch scratch{};
  scratch.scores = take(kAttendQueries * kAttendKeys);
  scratch.weights = take(kAttendQueries * kAttendKeys);
  scratch.y = take(kAttendQueries * value);
  scratch.q = take(kAttendQueries * key);
  scratch.keys = take(kAttendKeys * key);
  scratch.row = take(key);
  return scratch;
}

// The places [first, last) that a query sees of a source: entries, or indices into its list.
struct AttendRange {
  std::int64_t first;
  std::int64_t last;
};
inline __attribute__((always_inline)) AttendRange SeenOf(const AttendSource& source,
                                                         std::int64_t position) {
  if (source.chosen != nullptr) return {0, source.chosen_count};
  const std::int64_t last = (position + 1) / source.ratio;
  const bool all = source.window == 0 || source.window >= last;
  return {all ? 0 : last - source.window, last};
}
inline __attribute__((always_inline)) std::int64_t EntryAt(const AttendSource& source,
                                                           std::int64_t place) {
  return source.chosen != nullptr ? source.chosen[place] : place;
}

}  // namespace
}  // namespace hadal
