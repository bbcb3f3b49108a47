// Attention over Parts: a block of 64 keys is decoded once and serves every query of the job. After
// simd/dot.h, simd/outer.h and simd/math.h.
#pragma once

#include "kernels/attention/kernel.h"

namespace hadal {
namespace {

// What one job keeps of its queries.
struct AttendState {
  int count = 0;
  const float* q[kAttendQueries];
  float* y[kAttendQueries];
  std::int64_t visible[kAttendQueries];  // keys
  float largest[kAttendQueries];
  float sum[kAttendQueries];
};

// Rows of a block as f32: decoded to memory of the job, or in place.
struct BlockRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
};

HADAL_INLINE BlockRows ReadBlock(const CachedRows& rows, DType dtype, std::int64_t first,
                                 std::int64_t count, float* decoded) {
  const auto* page =
      reinterpret_cast<const std::byte*>(rows.pages[first / kAttendKeys] + rows.offset_bytes);
  const auto stride = static_cast<std::int64_t>(rows.row_stride_bytes);
  if (dtype == DType::kF32)
    return {reinterpret_cast<const float*>(page),
            stride / static_cast<std::int64_t>(sizeof(float))};
  for (std::int64_t j = 0; j < count; ++j) {
    const auto* codes = reinterpret_cast<const std::uint16_t*>(page + j * stride);
    float* to = decoded + j * rows.width;
    std::int64_t i = 0;
    for (; i + kPartLanes <= rows.width; i += kPartLanes) Store(to + i, FromBf16(codes + i));
    for (; i < rows.width; ++i) {
      const unsigned bits = static_cast<unsigned>(codes[i]) << 16;
      __builtin_memcpy(to + i, &bits, sizeof(bits));
    }
  }
  return {decoded, rows.width};
}

// Scores of queries [first, last) with the first `keys` rows of a block, scaled.
HADAL_INLINE void Score(const AttendJob& job, const AttendState& state, int first, int last,
                        const BlockRows& keys, std::int64_t count, float* scores) {
  DotLanes lanes[kDotRows];
  const Part scale = Same(job.scale);
  for (std::int64_t c = 0; c < count; c += kDotTile) {
    const int columns = static_cast<int>(count - c < kDotTile ? count - c : kDotTile);
    const float* w[kDotTile];
    for (int i = 0; i < kDotTile; ++i) w[i] = keys.data + (c + (i < columns ? i : 0)) * keys.stride;
    for (int r = first; r < last; r += kDotRows) {
      const int rows = last - r < kDotRows ? last - r : kDotRows;
      AddDotTile(state.q + r, rows, w, columns, job.keys.width, true, lanes);
      for (int i = 0; i < rows; ++i)
        FinishDotTile(lanes[i], columns, scores + (r + i) * kAttendKeys + c);
    }
  }
  for (int r = first; r < last; ++r)
    for (std::int64_t c = 0; c < count; c += kPartLanes) {
      float* at = scores + r * kAttendKeys + c;
      Store(at, Multiply(Load(at), scale));
    }
}

// Scores of one query to weights exp(s - largest); the query's state follows, and y is multiplied
// by what its sums lose.
HADAL_INLINE void Weigh(AttendState* state, int r, std::int64_t visible, std::int64_t width,
                        float* scores) {
  Part top = Same(state->largest[r]);
  for (std::int64_t c = 0; c < visible; c += kPartLanes) {
    const Part minus_infinity = Same(-__builtin_inff());
    const std::int64_t left = visible - c;
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
  for (std::int64_t c = 0; c < kAttendKeys; c += 16)
    for (int p = 0; p < kParts; ++p) {
      const std::int64_t at = c + p * kPartLanes;
      if (at >= visible) break;
      StoreFirst(scores + at, Exp(Subtract(Load(scores + at), shift)), visible - at);
      sum[p] = Add(sum[p], LoadFirst(scores + at, visible - at));
    }
  float decay[kPartLanes];
  Store(decay, Exp(Same(state->largest[r] - largest)));
  state->sum[r] = __builtin_fmaf(state->sum[r], decay[0], SumLanes(sum));
  state->largest[r] = largest;
  const Part c = Same(decay[0]);
  float* y = state->y[r];
  std::int64_t d = 0;
  for (; d + kPartLanes <= width; d += kPartLanes) Store(y + d, Multiply(Load(y + d), c));
  if (d < width) StoreFirst(y + d, Multiply(LoadFirst(y + d, width - d), c), width - d);
}

// y += weights * values for queries [first, last), which see at least `common` keys of the block.
HADAL_INLINE void AddValues(const AttendState& state, int first, int last, const BlockRows& values,
                            std::int64_t width, std::int64_t from, std::int64_t to,
                            const float* scores) {
  if (from >= to) return;
  const float* left[kOuterRows];
  float* y[kOuterRows];
  for (int i = 0; i < last - first; ++i) {
    left[i] = scores + (first + i) * kAttendKeys + from;
    y[i] = state.y[first + i];
  }
  OuterBlock block;
  block.x = left;
  block.y = y;
  block.rows = last - first;
  block.w = values.data + from * values.stride;
  block.w_stride = values.stride;
  block.n = to - from;
  block.columns = width;
  AddOuter(block);
}

HADAL_INLINE std::int64_t VisibleIn(const AttendState& state, int r, std::int64_t first) {
  const std::int64_t left = state.visible[r] - first;
  return left < kAttendKeys ? left : kAttendKeys;
}

// Keys [first, first + 64) for the queries that see any of them: those from `begin` on, since the
// rows of a job ascend.
void AttendBlock(const AttendJob& job, AttendState* state, std::int64_t first) noexcept {
  int begin = 0;
  while (state->visible[begin] <= first) ++begin;
  const std::int64_t count = VisibleIn(*state, state->count - 1, first);
  auto* scores = reinterpret_cast<float*>(job.scratch);
  float* key_memory = scores + kAttendQueries * kAttendKeys;
  float* value_memory = key_memory + kAttendKeys * job.keys.width;
  const BlockRows keys = ReadBlock(job.keys, job.dtype, first, count, key_memory);
  const BlockRows values =
      job.values_in_keys ? keys : ReadBlock(job.values, job.dtype, first, count, value_memory);
  const std::int64_t width = job.values.width;

  Score(job, *state, begin, state->count, keys, count, scores);
  for (int r = begin; r < state->count; ++r)
    Weigh(state, r, VisibleIn(*state, r, first), width, scores + r * kAttendKeys);
  for (int r = begin; r < state->count; r += kOuterRows) {
    const int end = r + kOuterRows < state->count ? r + kOuterRows : state->count;
    const std::int64_t common = VisibleIn(*state, r, first);
    AddValues(*state, r, end, values, width, 0, common, scores);
    for (int i = r + 1; i < end; ++i)
      AddValues(*state, i, i + 1, values, width, common, VisibleIn(*state, i, first), scores);
  }
}

void AttendWide(const AttendJob& job) noexcept {
  AttendState state;
  for (std::int64_t r = 0; r < job.rows; ++r)
    for (std::int64_t h = 0; h < job.heads; ++h) {
      const int i = state.count++;
      state.q[i] = job.q + r * job.q_row_stride + h * job.q_head_stride;
      state.y[i] = job.y + r * job.y_row_stride + h * job.y_head_stride;
      state.visible[i] = job.position + r + 1;
      state.largest[i] = -__builtin_inff();
      state.sum[i] = 0.0f;
      for (std::int64_t d = 0; d < job.values.width; ++d) state.y[i][d] = 0.0f;
    }
  const std::int64_t most = state.visible[state.count - 1];
  for (std::int64_t first = 0; first < most; first += kAttendKeys) AttendBlock(job, &state, first);
  for (int i = 0; i < state.count; ++i)
    for (std::int64_t d = 0; d < job.values.width; ++d) state.y[i][d] /= state.sum[i];
}

}  // namespace
}  // namespace hadal
