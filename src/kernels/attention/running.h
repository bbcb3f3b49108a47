// What every wide form of attention shares: the running state of a job's queries, the rows of a
// block of 64 places, and the softmax over its scores. After a part_*.h and simd/math.h.
#pragma once

#include "kernels/attention/kernel.h"

namespace hadal {
namespace {

HADAL_INLINE float ExpOf(float x) {
  float lanes[kPartLanes];
  Store(lanes, Exp(Same(x)));
  return lanes[0];
}

// What one job keeps of its queries.
struct AttendState {
  int count = 0;
  const float* q[kAttendQueries];
  float* y[kAttendQueries];
  AttendRange seen[kAttendQueries];  // of the present source; both ends ascend
  float largest[kAttendQueries];
  float sum[kAttendQueries];
};

// The state before the first key; `y` of each query is zeroed.
HADAL_INLINE void BeginQueries(AttendState* state, std::int64_t width) {
  for (int i = 0; i < state->count; ++i) {
    state->largest[i] = -__builtin_inff();
    state->sum[i] = 0.0f;
    for (std::int64_t d = 0; d < width; ++d) state->y[i][d] = 0.0f;
  }
}
// The sinks join the sums.
HADAL_INLINE void AddSinks(const AttendJob& job, AttendState* state) {
  if (job.sinks == nullptr) return;
  for (int i = 0; i < state->count; ++i)
    state->sum[i] += ExpOf(job.sinks[i % job.heads] - state->largest[i]);
}

// A block of places, and how many of the places behind it are read next.
struct Block {
  std::int64_t first = 0;
  AttendRange range{};  // of the block's places: what is read of them
  std::int64_t ahead = 0;
};

// Whether the block's rows follow one another in memory.
HADAL_INLINE bool IsEven(const AttendSource& source, const CachedRows& rows, std::int64_t first) {
  return source.chosen == nullptr &&
         first / rows.page_rows == (first + kAttendKeys - 1) / rows.page_rows;
}

// Addresses of the rows `range` of the block at place `first`.
HADAL_INLINE void FindRows(const AttendSource& source, const CachedRows& rows, std::int64_t first,
                           AttendRange range, const std::byte** row) {
  if (range.first >= range.last) return;
  if (!IsEven(source, rows, first)) {
    for (std::int64_t j = range.first; j < range.last; ++j)
      row[j] = AddressOf(rows, EntryAt(source, first + j));
    return;
  }
  const std::byte* at = AddressOf(rows, first + range.first);
  for (std::int64_t j = range.first; j < range.last; ++j, at += rows.row_stride_bytes) row[j] = at;
}

HADAL_INLINE std::int64_t RowBytes(const CachedRows& rows) {
  if (rows.dtype == DType::kU8) return rows.layout.bytes;
  return rows.width * (rows.dtype == DType::kBF16 ? 2 : 4);
}

// What query r sees of the block at place `first`.
HADAL_INLINE AttendRange SeenIn(const AttendState& state, int r, std::int64_t first) {
  const std::int64_t from = state.seen[r].first - first, to = state.seen[r].last - first;
  return {from > 0 ? from : 0, to < kAttendKeys ? to : kAttendKeys};
}

struct AsItIs {
  HADAL_INLINE Part operator()(Part weight) const { return weight; }
};

// Scores of one query with rows `range` to weights exp(s - largest), rounded by `round`; the
// query's state follows, and its `width` values are multiplied by what the sums lose. Places of the
// first group of sixteen that are not seen weigh 0.
template <typename Round>
HADAL_INLINE void Weigh(AttendState* state, int r, AttendRange range, std::int64_t width,
                        const Round& round, float* scores) {
  const std::int64_t begin = range.first / 16 * 16, end = range.last;
  // What is not seen weighs exactly nothing.
  for (std::int64_t c = begin; c < range.first; ++c) scores[c] = -__builtin_inff();
  Part top = Same(state->largest[r]);
  for (std::int64_t c = begin; c < end; c += kPartLanes) {
    const Part minus_infinity = Same(-__builtin_inff());
    const std::int64_t left = end - c;
    Part s = Load(scores + c);
    if (left < kPartLanes) {
      float lane[kPartLanes];
      Store(lane, minus_infinity);
      StoreFirst(lane, s, left);
      s = Load(lane);
    }
    top = Larger(top, s);
  }
  const float largest = LargestLane(top);
  const Part shift = Same(largest);
  Part sum[kParts];
  for (Part& lane : sum) lane = ZeroPart();
  for (std::int64_t c = begin; c < end; c += 16)
    for (int p = 0; p < kParts; ++p) {
      const std::int64_t at = c + p * kPartLanes;
      if (at >= end) break;
      StoreFirst(scores + at, round(Exp(Subtract(Load(scores + at), shift))), end - at);
      sum[p] = Add(sum[p], LoadFirst(scores + at, end - at));
    }
  const float decay = ExpOf(state->largest[r] - largest);
  state->sum[r] = __builtin_fmaf(state->sum[r], decay, SumLanes(sum));
  state->largest[r] = largest;
  if (decay == 1.0f) return;
  const Part c = Same(decay);
  float* y = state->y[r];
  std::int64_t d = 0;
  for (; d + kPartLanes <= width; d += kPartLanes) Store(y + d, Multiply(Load(y + d), c));
  if (d < width) StoreFirst(y + d, Multiply(LoadFirst(y + d, width - d), c), width - d);
}

// Calls take(block, begin, end) for the blocks of a source in turn: what the queries [begin, end)
// see of it, which follow one another; the others see none of it.
template <typename Take>
HADAL_INLINE void ForBlocks(const AttendJob& job, const AttendSource& source, AttendState* state,
                            const Take& take) {
  for (int i = 0; i < state->count; ++i)
    state->seen[i] = SeenOf(source, job.position + i / job.heads);
  const std::int64_t end_of_all = state->seen[state->count - 1].last;
  std::int64_t first = state->seen[0].first / kAttendKeys * kAttendKeys;
  for (; first < end_of_all; first += kAttendKeys) {
    int begin = 0;
    while (begin < state->count && state->seen[begin].last <= first) ++begin;
    int end = begin;
    while (end < state->count && state->seen[end].first < first + kAttendKeys) ++end;
    if (begin == end) continue;
    const AttendRange range{SeenIn(*state, begin, first).first,
                            SeenIn(*state, end - 1, first).last};
    const std::int64_t behind = end_of_all - first - kAttendKeys;
    take(Block{first, range, behind < 0 ? 0 : (behind < kAttendKeys ? behind : kAttendKeys)}, begin,
         end);
  }
}

}  // namespace
}  // namespace hadal
