// The bf16 form of attention where no instruction multiplies pairs: each half of a pair is an f32,
// and what a pair adds is two fused steps. The columns of a row lie in the order of these steps (of
// each 32 columns the odd ones, then the even), and so do the places of a block (the odd one of
// two, then the even), so that the loops of the f32 form do the rest. After attention/wide.h.
#pragma once

#include "kernels/attention/kernel.h"
#include "kernels/flush_denormals.h"

namespace hadal {
namespace {

struct ToBf16Weight {
  HADAL_INLINE Part operator()(Part weight) const { return RoundedToBf16(weight); }
};

// `padded` values, rounded, to the order of the steps.
HADAL_INLINE void PutHalves(const float* row, std::int64_t padded, float* halves) {
  for (std::int64_t k = 0; k < padded; k += kPairColumns)
    for (int p = 0; p < kParts; ++p) {
      const std::int64_t at = k + 2 * p * kPartLanes;
      Part even, odd;
      Unzip(Load(row + at), Load(row + at + kPartLanes), &even, &odd);
      Store(halves + k + p * kPartLanes, RoundedToBf16(odd));
      Store(halves + k + 16 + p * kPartLanes, RoundedToBf16(even));
    }
}

HADAL_INLINE void ReadHalves(const CachedRows& rows, const std::byte* from, float* row,
                             float* halves) {
  if (rows.dtype != DType::kBF16 || rows.width % kPairColumns != 0) {
    ReadCachedRow(rows, from, row);  // zeros lie behind it
    return PutHalves(row, PaddedColumns(rows.width), halves);
  }
  for (std::int64_t k = 0; k < rows.width; k += kPairColumns)
    for (int p = 0; p < kParts; ++p) {
      const Part pairs = Load(reinterpret_cast<const float*>(from + 2 * k) + p * kPartLanes);
      Store(halves + k + p * kPartLanes, SecondOfPairs(pairs));
      Store(halves + k + 16 + p * kPartLanes, FirstOfPairs(pairs));
    }
}

// The block's rows, place j at j ^ 1; zeros where the other place of a pair is not seen.
inline __attribute__((noinline)) BlockRows ReadHalvesOfBlock(const AttendSource& source,
                                                             const Block& block, float* row_memory,
                                                             float* halves) {
  const AttendRange range = block.range;
  const std::int64_t width = PaddedColumns(source.keys.width);
  const std::byte *row[kAttendKeys], *next[kAttendKeys];
  FindRows(source, source.keys, block.first, range, row);
  FindRows(source, source.keys, block.first + kAttendKeys, {0, block.ahead}, next);
  const std::int64_t bytes = RowBytes(source.keys);
  for (std::int64_t j = range.first / 2 * 2; j < (range.last + 1) / 2 * 2; ++j) {
    if (j < block.ahead) AskFor(next[j], bytes);
    float* to = halves + (j ^ 1) * width;
    if (j >= range.first && j < range.last) {
      ReadHalves(source.keys, row[j], row_memory, to);
    } else {
      for (std::int64_t k = 0; k < width; ++k) to[k] = 0.0f;
    }
  }
  return {halves, width};
}

// What a query sees of a block in whole pairs.
HADAL_INLINE AttendRange WholePairs(AttendRange range) {
  return {range.first / 2 * 2, (range.last + 1) / 2 * 2};
}

// The pairs of [from, to) one by one for query r: a place that it does not see is a row of zeros.
HADAL_INLINE void AddEdgePairs(const AttendState& state, int r, const ValueColumns& values,
                               AttendRange seen, std::int64_t from, std::int64_t to,
                               const float* scores) {
  for (std::int64_t pair = from; pair < to; pair += 2) {
    float rows[2 * kValueColumns];
    for (std::int64_t i = 0; i < 2; ++i) {
      const std::int64_t place = pair + (i ^ 1);
      const bool is_seen = place >= seen.first && place < seen.last;
      for (std::int64_t d = 0; d < values.width; ++d)
        rows[i * kValueColumns + d] = is_seen ? values.data[(pair + i) * values.stride + d] : 0.0f;
    }
    const float* left = scores + r * kAttendKeys + pair;
    float* y = state.y[r] + values.from;
    OuterBlock block;
    block.x = &left;
    block.y = &y;
    block.rows = 1;
    block.w = rows;
    block.w_stride = kValueColumns;
    block.n = 2;
    block.columns = values.width;
    AddOuter(block);
  }
}

// As AddBlockValues; what all of some queries see is cut to whole pairs.
HADAL_INLINE void AddHalves(const AttendState& state, int begin, int end, std::int64_t first,
                            const ValueColumns& values, const float* scores) {
  for (int r = begin; r < end; r += kOuterRows) {
    const int last = r + kOuterRows < end ? r + kOuterRows : end;
    AttendRange common{(SeenIn(state, last - 1, first).first + 1) / 2 * 2,
                       SeenIn(state, r, first).last / 2 * 2};
    if (common.first >= common.last) common = {kAttendKeys, kAttendKeys};
    for (int i = r; i < last; ++i) {
      const AttendRange seen = SeenIn(state, i, first), pairs = WholePairs(seen);
      const std::int64_t to = pairs.last < common.first ? pairs.last : common.first;
      AddEdgePairs(state, i, values, seen, pairs.first, to, scores);
    }
    AddValues(state, r, last, values, common, scores);
    for (int i = r; i < last; ++i) {
      const AttendRange seen = SeenIn(state, i, first);
      AddEdgePairs(state, i, values, seen, common.last, WholePairs(seen).last, scores);
    }
  }
}

// All arithmetic with a block that was read.
inline __attribute__((noinline)) void TakeHalves(const AttendJob& job, const Block& block,
                                                 const BlockRows& keys, int begin, int end,
                                                 AttendState* state) {
  const FlushDenormals flush;
  const Bf16Scratch scratch = Bf16ScratchOf(job);
  Score(*state, begin, end, keys, PaddedColumns(job.key_width), job.scale, WholePairs(block.range),
        scratch.scores);
  const std::int64_t value_width = PaddedColumns(job.value_width);
  for (int r = begin; r < end; ++r) {
    const AttendRange seen = SeenIn(*state, r, block.first);
    float* scores = scratch.scores + r * kAttendKeys;
    if (seen.first % 2 != 0) scores[seen.first] = -__builtin_inff();
    if (seen.last % 2 != 0) scores[seen.last - 1] = -__builtin_inff();
    Weigh(state, r, WholePairs(seen), value_width, ToBf16Weight{}, scores);
  }
  for (std::int64_t from = 0; from < value_width; from += kValueColumns) {
    const std::int64_t left = value_width - from;
    const ValueColumns columns{keys.data + from, keys.stride, from,
                               left < kValueColumns ? left : kValueColumns};
    AddHalves(*state, begin, end, block.first, columns, scratch.scores);
  }
}

// Queries to the order of the steps, and their sums back from it.
HADAL_INLINE void BeginHalves(const AttendJob& job, AttendState* state) {
  const Bf16Scratch scratch = Bf16ScratchOf(job);
  const std::int64_t padded = PaddedColumns(job.key_width);
  for (std::int64_t k = job.key_width; k < padded; ++k) scratch.row[k] = 0.0f;
  for (std::int64_t r = 0; r < job.rows; ++r)
    for (std::int64_t h = 0; h < job.heads; ++h) {
      const int i = state->count++;
      const float* from = job.q + r * job.q_row_stride + h * job.q_head_stride;
      for (std::int64_t k = 0; k < job.key_width; ++k) scratch.row[k] = from[k];
      float* q = static_cast<float*>(scratch.q) + i * padded;
      PutHalves(scratch.row, padded, q);
      state->q[i] = q;
      state->y[i] = scratch.y + i * PaddedColumns(job.value_width);
    }
  BeginQueries(state, PaddedColumns(job.value_width));
}
inline __attribute__((noinline)) void FinishHalves(const AttendJob& job, AttendState* all) {
  const FlushDenormals flush;
  AddSinks(job, all);
  const AttendState& state = *all;
  for (int i = 0; i < state.count; ++i) {
    float* y = job.y + i / job.heads * job.y_row_stride + i % job.heads * job.y_head_stride;
    const Part sum = Same(state.sum[i]);
    for (std::int64_t d = 0; d < job.value_width; d += kPairColumns)
      for (int p = 0; p < kParts; ++p) {
        const std::int64_t at = d + 2 * p * kPartLanes, left = job.value_width - at;
        Part a, b;
        Zip(Load(state.y[i] + d + 16 + p * kPartLanes), Load(state.y[i] + d + p * kPartLanes), &a,
            &b);
        StoreFirst(y + at, Divide(a, sum), left);
        StoreFirst(y + at + kPartLanes, Divide(b, sum), left - kPartLanes);
      }
  }
}

void AttendHalves(const AttendJob& job) noexcept {
  const Bf16Scratch scratch = Bf16ScratchOf(job);
  AttendState state;
  BeginHalves(job, &state);
  for (int s = 0; s < job.source_count; ++s) {
    const AttendSource& source = job.sources[s];
    ForBlocks(job, source, &state, [&](const Block& block, int begin, int end) {
      const BlockRows keys =
          ReadHalvesOfBlock(source, block, scratch.row, static_cast<float*>(scratch.keys));
      TakeHalves(job, block, keys, begin, end, &state);
    });
  }
  FinishHalves(job, &state);
}

}  // namespace
}  // namespace hadal
