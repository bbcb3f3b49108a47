// Attention over Parts in the order "lanes": a block of 64 keys is decoded once and serves every
// query of the job. After simd/dot.h, simd/outer.h, simd/cached_row.h and attention/running.h.
#pragma once

#include "kernels/attention/kernel.h"

namespace hadal {
namespace {

// Rows of a block as f32: decoded to memory of the job, or in place. Row j is at data + j * stride.
struct BlockRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
};

// Rows `block.range` as f32; the others are not touched. The next block is asked for meanwhile.
HADAL_INLINE BlockRows ReadBlock(const AttendSource& source, const CachedRows& rows,
                                 const Block& block, float* decoded) {
  const AttendRange range = block.range;
  const std::byte *row[kAttendKeys], *next[kAttendKeys];
  FindRows(source, rows, block.first, range, row);
  if (rows.dtype == DType::kF32 && IsEven(source, rows, block.first)) {
    const auto* data = reinterpret_cast<const float*>(row[range.first]);
    const auto stride = static_cast<std::int64_t>(rows.row_stride_bytes / sizeof(float));
    return {data - range.first * stride, stride};
  }
  FindRows(source, rows, block.first + kAttendKeys, {0, block.ahead}, next);
  const std::int64_t bytes = RowBytes(rows);
  for (std::int64_t j = range.first; j < range.last; ++j) {
    if (j < block.ahead) AskFor(next[j], bytes);
    ReadCachedRow(rows, row[j], decoded + j * rows.width);
  }
  return {decoded, rows.width};
}

// Scaled scores of queries [first, last) with rows `range` of a block.
HADAL_INLINE void Score(const AttendState& state, int first, int last, const BlockRows& keys,
                        std::int64_t width, float scale_of_all, AttendRange range, float* scores) {
  DotLanes lanes[kDotRows];
  const Part scale = Same(scale_of_all);
  const std::int64_t begin = range.first / kDotTile * kDotTile;
  for (std::int64_t c = begin; c < range.last; c += kDotTile) {
    const std::int64_t left = range.last - c;
    const int columns = static_cast<int>(left < kDotTile ? left : kDotTile);
    const float* w[kDotTile];
    for (int i = 0; i < kDotTile; ++i) {
      const bool inside = i < columns && c + i >= range.first;
      w[i] = keys.data + (inside ? c + i : range.last - 1) * keys.stride;
    }
    for (int r = first; r < last; r += kDotRows) {
      const int rows = last - r < kDotRows ? last - r : kDotRows;
      AddDotTile(state.q + r, rows, w, columns, width, true, lanes);
      for (int i = 0; i < rows; ++i)
        FinishDotTile(lanes[i], columns, scores + (r + i) * kAttendKeys + c);
    }
  }
  for (int r = first; r < last; ++r)
    for (std::int64_t c = begin; c < range.last; c += kPartLanes) {
      float* at = scores + r * kAttendKeys + c;
      Store(at, Multiply(Load(at), scale));
    }
}

// Columns [from, from + width) of a block's values.
struct ValueColumns {
  const float* data = nullptr;  // row 0, column `from`
  std::int64_t stride = 0;
  std::int64_t from = 0, width = 0;
};
// A block of them stays in the first-level cache while all queries take it.
constexpr std::int64_t kValueColumns = 64;

// y += weights * values for queries [first, last) and rows `range`, which they all see.
HADAL_INLINE void AddValues(const AttendState& state, int first, int last,
                            const ValueColumns& values, AttendRange range, const float* scores) {
  if (range.first >= range.last) return;
  const float* left[kOuterRows];
  float* y[kOuterRows];
  for (int i = 0; i < last - first; ++i) {
    left[i] = scores + (first + i) * kAttendKeys + range.first;
    y[i] = state.y[first + i] + values.from;
  }
  OuterBlock block;
  block.x = left;
  block.y = y;
  block.rows = last - first;
  block.w = values.data + range.first * values.stride;
  block.w_stride = values.stride;
  block.n = range.last - range.first;
  block.columns = values.width;
  AddOuter(block);
}

// Scaled scores of queries [first, last) with rows `block.range` of narrow keys. Rows outside are
// not touched: a row inside takes their places, and nobody looks at what it gives there.
HADAL_INLINE void ScoreNarrow(const AttendJob& job, const AttendState& state, int first, int last,
                              const AttendSource& source, const Block& block, float* turned,
                              float* scores) {
  const std::byte *row[kAttendKeys], *next[kAttendKeys];
  FindRows(source, source.keys, block.first, block.range, row);
  for (std::int64_t j = 0; j < block.range.first; ++j) row[j] = row[block.range.first];
  for (std::int64_t j = block.range.last; j < kAttendKeys; ++j) row[j] = row[block.range.first];
  FindRows(source, source.keys, block.first + kAttendKeys, {0, block.ahead}, next);
  const std::int64_t bytes = RowBytes(source.keys);
  for (std::int64_t j = 0; j < block.ahead; ++j) AskFor(next[j], bytes);
  TurnKeys(row, source.keys.dtype, job.key_width, turned);
  ScoreTurned(state.q + first, last - first, turned, job.key_width, job.scale,
              scores + first * kAttendKeys);
}

// The values of a block for queries [begin, end), a few at a time: what all of them see is read
// once, what some see before or after it query by query, so that each chain ascends.
HADAL_INLINE void AddBlockValues(const AttendState& state, int begin, int end, std::int64_t first,
                                 const ValueColumns& values, const float* scores) {
  for (int r = begin; r < end; r += kOuterRows) {
    const int last = r + kOuterRows < end ? r + kOuterRows : end;
    const AttendRange common{SeenIn(state, last - 1, first).first, SeenIn(state, r, first).last};
    if (common.first >= common.last) {
      for (int i = r; i < last; ++i)
        AddValues(state, i, i + 1, values, SeenIn(state, i, first), scores);
      continue;
    }
    for (int i = r; i < last; ++i)
      AddValues(state, i, i + 1, values, {SeenIn(state, i, first).first, common.first}, scores);
    AddValues(state, r, last, values, common, scores);
    for (int i = r; i < last; ++i)
      AddValues(state, i, i + 1, values, {common.last, SeenIn(state, i, first).last}, scores);
  }
}

// One block for the queries [begin, end), which see some of it.
inline __attribute__((noinline)) void AttendBlock(const AttendJob& job, const AttendSource& source,
                                                  const Block& block, int begin, int end,
                                                  AttendState* state) {
  auto* scores = reinterpret_cast<float*>(job.scratch);
  float* key_memory = scores + kAttendQueries * kAttendKeys;
  float* value_memory = key_memory + kAttendKeys * job.key_width;
  BlockRows values;
  if (!job.values_in_keys && source.keys.dtype != DType::kU8 && IsNarrow(job.key_width)) {
    ScoreNarrow(job, *state, begin, end, source, block, key_memory, scores);
    values = ReadBlock(source, source.values, block, value_memory);
  } else {
    const BlockRows keys = ReadBlock(source, source.keys, block, key_memory);
    values = job.values_in_keys ? keys : ReadBlock(source, source.values, block, value_memory);
    Score(*state, begin, end, keys, job.key_width, job.scale, block.range, scores);
  }
  for (int r = begin; r < end; ++r)
    Weigh(state, r, SeenIn(*state, r, block.first), job.value_width, AsItIs{},
          scores + r * kAttendKeys);
  for (std::int64_t from = 0; from < job.value_width; from += kValueColumns) {
    const std::int64_t left = job.value_width - from;
    const ValueColumns columns{values.data + from, values.stride, from,
                               left < kValueColumns ? left : kValueColumns};
    AddBlockValues(*state, begin, end, block.first, columns, scores);
  }
}

void AttendWide(const AttendJob& job) noexcept {
  AttendState state;
  for (std::int64_t r = 0; r < job.rows; ++r)
    for (std::int64_t h = 0; h < job.heads; ++h) {
      const int i = state.count++;
      state.q[i] = job.q + r * job.q_row_stride + h * job.q_head_stride;
      state.y[i] = job.y + r * job.y_row_stride + h * job.y_head_stride;
    }
  BeginQueries(&state, job.value_width);
  for (int s = 0; s < job.source_count; ++s) {
    const AttendSource& source = job.sources[s];
    ForBlocks(job, source, &state, [&](const Block& block, int begin, int end) {
      AttendBlock(job, source, block, begin, end, &state);
    });
  }
  AddSinks(job, &state);
  for (int i = 0; i < state.count; ++i)
    for (std::int64_t d = 0; d < job.value_width; ++d) state.y[i][d] /= state.sum[i];
}

}  // namespace
}  // namespace hadal
