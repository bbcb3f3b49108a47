// The bf16 form of attention with VDPBF16PS, which adds the products of a pair to each of sixteen
// f32: the odd half first, then the even one, each step fused, denormals zero. Keys are multiplied
// as they lie in the cache. After attention/running.h, on AVX-512 with BF16.
#pragma once

#include "kernels/attention/kernel.h"
#include "kernels/flush_denormals.h"

namespace hadal {
namespace {

using Pairs = __m512i;

HADAL_INLINE Pairs LoadPairs(const void* from) { return _mm512_loadu_si512(from); }
HADAL_INLINE Part AddPairs(Part sum, Pairs a, Pairs b) {
  return _mm512_dpbf16_ps(sum, __builtin_bit_cast(__m512bh, a), __builtin_bit_cast(__m512bh, b));
}
// Nearest even, denormals zero, 32 numbers in order.
HADAL_INLINE Pairs ToPairs(Part low, Part high) {
  return __builtin_bit_cast(Pairs, _mm512_cvtne2ps_pbh(high, low));
}

struct ToBf16Weight {
  HADAL_INLINE Part operator()(Part weight) const {
    return FromBf16(__builtin_bit_cast(__m256i, _mm512_cvtneps_pbh(weight)));
  }
};

// A block's rows by place. What is not seen has the address of a row that is.
struct PairRows {
  const std::byte* row[kAttendKeys];
};
// Rows of the next block, asked for a few at a time while this one is multiplied: all at once would
// fill the core's queue of lines that memory owes it, and the core would wait.
struct NextRows {
  const std::byte* row[kAttendKeys];
  std::int64_t bytes = 0, asked = 0, count = 0;
};
// At each tile of keys and each strip of columns, so that V2's and V4's widths ask for all 64.
constexpr std::int64_t kAskedTogether = 3;

HADAL_INLINE void AskForSome(NextRows* next) {
  for (std::int64_t i = 0; i < kAskedTogether && next->asked < next->count; ++i)
    AskFor(next->row[next->asked++], next->bytes);
}

// One block and what its queries have in memory.
struct PairBlock {
  PairRows rows;
  const std::uint16_t* q = nullptr;  // [queries, q_stride]
  std::int64_t q_stride = 0;
  std::uint16_t* weights = nullptr;  // [queries, kAttendKeys]
  float* scores = nullptr;           // [queries, kAttendKeys]
};

// --- Scores --------------------------------------------------------------------------------------

constexpr int kTile = 4;  // queries, and keys

// Sums of two, then of four registers, 8 and 4 lanes apart: a quarter is left of each.
HADAL_INLINE Part SumHalves(Part a, Part b) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
}
HADAL_INLINE Part SumQuarters(Part ab, Part cd) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
}
// 2 and 1 lanes apart, within each quarter.
HADAL_INLINE Part SumEighths(Part a, Part b) {
  return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
}
HADAL_INLINE Part SumSixteenths(Part ab, Part cd) {
  return _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x88), _mm512_shuffle_ps(ab, cd, 0xDD));
}

// Scaled scores of kTile queries with kTile keys: query r and key c at scores[r * kAttendKeys + c];
// those of the first `rows` are stored.
inline __attribute__((noinline)) void ScoreTile(const std::uint16_t* const* q, int rows,
                                                const std::byte* const* key, std::int64_t width,
                                                float scale, float* scores) {
  Part sum[kTile][kTile];
  for (auto& row : sum)
    for (Part& one : row) one = ZeroPart();
  for (std::int64_t k = 0; k < width; k += kPairColumns) {
    Pairs left[kTile];
    for (int r = 0; r < kTile; ++r) left[r] = LoadPairs(q[r] + k);
    for (int c = 0; c < kTile; ++c) {
      const Pairs right = LoadPairs(key[c] + 2 * k);
      for (int r = 0; r < kTile; ++r) sum[r][c] = AddPairs(sum[r][c], left[r], right);
    }
  }
  Part of_key[kTile];  // a quarter a query
  for (int c = 0; c < kTile; ++c)
    of_key[c] = SumQuarters(SumHalves(sum[0][c], sum[1][c]), SumHalves(sum[2][c], sum[3][c]));
  const Part all =
      SumSixteenths(SumEighths(of_key[0], of_key[1]), SumEighths(of_key[2], of_key[3]));
  const Part scaled = Multiply(all, Same(scale));
  _mm_storeu_ps(scores, _mm512_castps512_ps128(scaled));
  if (rows > 1) _mm_storeu_ps(scores + kAttendKeys, _mm512_extractf32x4_ps(scaled, 1));
  if (rows > 2) _mm_storeu_ps(scores + 2 * kAttendKeys, _mm512_extractf32x4_ps(scaled, 2));
  if (rows > 3) _mm_storeu_ps(scores + 3 * kAttendKeys, _mm512_extractf32x4_ps(scaled, 3));
}

// Of queries [begin, end) with the tiles of keys that `range` touches.
HADAL_INLINE void ScorePairs(const PairBlock& b, int begin, int end, AttendRange range, float scale,
                             NextRows* next) {
  for (std::int64_t c = range.first / kTile * kTile; c < range.last; c += kTile) {
    AskForSome(next);
    for (int r = begin; r < end; r += kTile) {
      const int rows = end - r < kTile ? end - r : kTile;
      const std::uint16_t* q[kTile];
      for (int i = 0; i < kTile; ++i) q[i] = b.q + (i < rows ? r + i : r) * b.q_stride;
      ScoreTile(q, rows, b.rows.row + c, b.q_stride, scale, b.scores + r * kAttendKeys + c);
    }
  }
}

// --- Values --------------------------------------------------------------------------------------

constexpr int kValueRows = 4;    // queries whose sums are in registers together
constexpr int kValueGroups = 2;  // of 32 columns
constexpr std::int64_t kStrip = kValueGroups * kPairColumns;

// Places [2 * first, 2 * last) of columns from `from` on, for some queries.
struct ValuePairs {
  const PairRows* rows = nullptr;
  std::int64_t first = 0, last = 0;
  std::int64_t from = 0;
  const std::uint16_t* weights = nullptr;  // of the first query
  float* const* y = nullptr;               // by query
  Pairs mask{};                            // kMasked: what is seen of each pair
};

// y += weights * values. Two registers of sums hold 32 columns: the lower halves of their quarters
// of eight, then the upper ones.
template <int kRows, int kGroups, bool kMasked>
HADAL_INLINE void AddValueGroups(const ValuePairs& v, std::int64_t at) {
  Part sum[kRows][2 * kGroups];
  for (int r = 0; r < kRows; ++r)
    for (int g = 0; g < 2 * kGroups; ++g) sum[r][g] = Load(v.y[r] + at + g * kPartLanes);
  for (std::int64_t pair = v.first; pair < v.last; ++pair) {
    const std::byte* even = v.rows->row[2 * pair] + 2 * at;
    const std::byte* odd = v.rows->row[2 * pair + 1] + 2 * at;
    Pairs right[2 * kGroups];
    for (int g = 0; g < kGroups; ++g) {
      const Pairs a = LoadPairs(even + 64 * g), b = LoadPairs(odd + 64 * g);
      right[2 * g] = _mm512_unpacklo_epi16(a, b);
      right[2 * g + 1] = _mm512_unpackhi_epi16(a, b);
    }
    if constexpr (kMasked)
      for (Pairs& one : right) one = _mm512_and_si512(one, v.mask);
    for (int r = 0; r < kRows; ++r) {
      int weights;
      __builtin_memcpy(&weights, v.weights + r * kAttendKeys + 2 * pair, sizeof(weights));
      const Pairs left = _mm512_set1_epi32(weights);
      for (int g = 0; g < 2 * kGroups; ++g) sum[r][g] = AddPairs(sum[r][g], left, right[g]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int g = 0; g < 2 * kGroups; ++g) Store(v.y[r] + at + g * kPartLanes, sum[r][g]);
}

// Up to kStrip columns.
template <int kRows, bool kMasked>
inline __attribute__((noinline)) void AddValueStrip(const ValuePairs& v, std::int64_t columns) {
  if (columns >= kStrip) return AddValueGroups<kRows, kValueGroups, kMasked>(v, v.from);
  for (std::int64_t at = 0; at < columns; at += kPairColumns)
    AddValueGroups<kRows, 1, kMasked>(v, v.from + at);
}
HADAL_INLINE void AddValueRows(const ValuePairs& v, int rows, std::int64_t columns) {
  if (v.first >= v.last) return;
  switch (rows) {
    case 1:
      return AddValueStrip<1, false>(v, columns);
    case 2:
      return AddValueStrip<2, false>(v, columns);
    case 3:
      return AddValueStrip<3, false>(v, columns);
    default:
      return AddValueStrip<kValueRows, false>(v, columns);
  }
}

// Pairs [first, last) one by one for the first query of `v`, without what it does not see of them.
HADAL_INLINE void AddEdgePairs(ValuePairs v, AttendRange seen, std::int64_t first,
                               std::int64_t last, std::int64_t columns) {
  for (std::int64_t pair = first; pair < last; ++pair) {
    std::uint32_t mask = 0;
    if (2 * pair >= seen.first && 2 * pair < seen.last) mask |= 0x0000'FFFFu;
    if (2 * pair + 1 >= seen.first && 2 * pair + 1 < seen.last) mask |= 0xFFFF'0000u;
    v.first = pair;
    v.last = pair + 1;
    v.mask = _mm512_set1_epi32(static_cast<int>(mask));
    AddValueStrip<1, true>(v, columns);
  }
}

// Columns [from, from + columns) for queries [begin, end): whole pairs that some of them all see
// together, what is left of each query's by itself; each chain ascends.
HADAL_INLINE void AddPairStrip(const PairBlock& b, const AttendState& state, int begin, int end,
                               std::int64_t place, std::int64_t from, std::int64_t columns) {
  for (int r = begin; r < end; r += kValueRows) {
    const int rows = end - r < kValueRows ? end - r : kValueRows;
    ValuePairs v;
    v.rows = &b.rows;
    v.from = from;
    std::int64_t first = (SeenIn(state, r + rows - 1, place).first + 1) / 2;
    std::int64_t last = SeenIn(state, r, place).last / 2;
    if (first >= last) first = last = kAttendKeys / 2;
    const auto of_query = [&](int i) {
      v.weights = b.weights + i * kAttendKeys;
      v.y = state.y + i;
    };
    for (int i = r; i < r + rows; ++i) {
      const AttendRange seen = SeenIn(state, i, place);
      const std::int64_t to = (seen.last + 1) / 2;
      of_query(i);
      AddEdgePairs(v, seen, seen.first / 2, to < first ? to : first, columns);
    }
    of_query(r);
    v.first = first;
    v.last = last;
    AddValueRows(v, rows, columns);
    for (int i = r; i < r + rows; ++i) {
      const AttendRange seen = SeenIn(state, i, place);
      of_query(i);
      AddEdgePairs(v, seen, last, (seen.last + 1) / 2, columns);
    }
  }
}

// --- Blocks --------------------------------------------------------------------------------------

// `count` values as bf16, then zeros up to whole groups.
HADAL_INLINE void PutPairs(const float* row, std::int64_t count, std::uint16_t* to) {
  for (std::int64_t k = 0; k < count; k += kPairColumns) {
    const Part low = LoadFirst(row + k, count - k), high = LoadFirst(row + k + 16, count - k - 16);
    _mm512_storeu_si512(to + k, ToPairs(low, high));
  }
}

// Where the block's rows lie as bf16 in whole groups, in the cache or decoded; and the next
// block's.
inline __attribute__((noinline)) PairRows ReadPairs(const AttendSource& source, const Block& block,
                                                    const Bf16Scratch& scratch, NextRows* next) {
  const CachedRows& keys = source.keys;
  const AttendRange range = block.range;
  PairRows rows;
  FindRows(source, keys, block.first, range, rows.row);
  FindRows(source, keys, block.first + kAttendKeys, {0, block.ahead}, next->row);
  next->count = block.ahead;
  next->bytes = RowBytes(keys);
  const bool in_place = keys.dtype == DType::kBF16 && keys.width % kPairColumns == 0;
  const std::int64_t padded = PaddedColumns(keys.width);
  auto* decoded = static_cast<std::uint16_t*>(scratch.keys);
  for (std::int64_t j = range.first; j < range.last && !in_place; ++j) {
    ReadCachedRow(keys, rows.row[j], scratch.row);
    PutPairs(scratch.row, keys.width, decoded + j * padded);
    rows.row[j] = reinterpret_cast<const std::byte*>(decoded + j * padded);
  }
  for (std::int64_t j = 0; j < range.first; ++j) rows.row[j] = rows.row[range.first];
  for (std::int64_t j = range.last; j < kAttendKeys; ++j) rows.row[j] = rows.row[range.first];
  return rows;
}

// Weights of one query as bf16, none for what it does not see of its last pair.
HADAL_INLINE void PackWeights(const float* weights, AttendRange seen, std::uint16_t* packed) {
  for (std::int64_t j = seen.first / kPairColumns * kPairColumns; j < seen.last; j += kPairColumns)
    _mm512_storeu_si512(packed + j, ToPairs(LoadFirst(weights + j, seen.last - j),
                                            LoadFirst(weights + j + 16, seen.last - j - 16)));
}

// All arithmetic with a block that was read.
inline __attribute__((noinline)) void TakePairs(const AttendJob& job, const Block& block,
                                                const PairRows& rows, int begin, int end,
                                                NextRows* next, AttendState* state) {
  const FlushDenormals flush;
  const Bf16Scratch scratch = Bf16ScratchOf(job);
  PairBlock b;
  b.rows = rows;
  b.q = static_cast<const std::uint16_t*>(scratch.q);
  b.q_stride = PaddedColumns(job.key_width);
  b.weights = static_cast<std::uint16_t*>(scratch.weights);
  b.scores = scratch.scores;
  ScorePairs(b, begin, end, block.range, job.scale, next);
  const std::int64_t value_width = PaddedColumns(job.value_width);
  for (int r = begin; r < end; ++r) {
    const AttendRange seen = SeenIn(*state, r, block.first);
    float* scores = b.scores + r * kAttendKeys;
    Weigh(state, r, seen, value_width, ToBf16Weight{}, scores);
    PackWeights(scores, seen, b.weights + r * kAttendKeys);
  }
  for (std::int64_t from = 0; from < value_width; from += kStrip) {
    AskForSome(next);
    AddPairStrip(b, *state, begin, end, block.first, from, value_width - from);
  }
}

HADAL_INLINE void BeginPairs(const AttendJob& job, AttendState* state) {
  const Bf16Scratch scratch = Bf16ScratchOf(job);
  const std::int64_t padded = PaddedColumns(job.key_width);
  for (std::int64_t r = 0; r < job.rows; ++r)
    for (std::int64_t h = 0; h < job.heads; ++h) {
      const int i = state->count++;
      PutPairs(job.q + r * job.q_row_stride + h * job.q_head_stride, job.key_width,
               static_cast<std::uint16_t*>(scratch.q) + i * padded);
      state->y[i] = scratch.y + i * PaddedColumns(job.value_width);
    }
  BeginQueries(state, PaddedColumns(job.value_width));
}
inline __attribute__((noinline)) void FinishPairs(const AttendJob& job, AttendState* state) {
  const FlushDenormals flush;
  AddSinks(job, state);
  for (int i = 0; i < state->count; ++i) {
    float* y = job.y + i / job.heads * job.y_row_stride + i % job.heads * job.y_head_stride;
    const Part sum = Same(state->sum[i]);
    for (std::int64_t d = 0; d < job.value_width; d += kPairColumns) {
      const Part lower = Load(state->y[i] + d), upper = Load(state->y[i] + d + 16);
      const Part first = _mm512_shuffle_f32x4(lower, upper, 0x44);
      const Part second = _mm512_shuffle_f32x4(lower, upper, 0xEE);
      const std::int64_t left = job.value_width - d;
      StoreFirst(y + d, Divide(_mm512_shuffle_f32x4(first, first, 0xD8), sum), left);
      StoreFirst(y + d + 16, Divide(_mm512_shuffle_f32x4(second, second, 0xD8), sum), left - 16);
    }
  }
}

void AttendPairs(const AttendJob& job) noexcept {
  const Bf16Scratch scratch = Bf16ScratchOf(job);
  AttendState state;
  BeginPairs(job, &state);
  for (int s = 0; s < job.source_count; ++s) {
    const AttendSource& source = job.sources[s];
    ForBlocks(job, source, &state, [&](const Block& block, int begin, int end) {
      NextRows next;
      const PairRows rows = ReadPairs(source, block, scratch, &next);
      TakePairs(job, block, rows, begin, end, &next, &state);
    });
  }
  FinishPairs(job, &state);
}

}  // namespace
}  // namespace hadal
