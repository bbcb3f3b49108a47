// Index scores of int8 queries over packed keys: the tiles and steps of matmul/int8, whose stored
// rows are entries here and whose rows of activations are heads. After matmul/int8/scaled.h and a
// Relu(Float) that keeps NaN.
#pragma once

#include "kernels/index/index.h"

namespace hadal {
namespace {

// The codes of kFp4Index are those of MXFP4 tensors.
using Fp4Key = Mxfp4;

struct Int8Key : ScaledFormat {
  static constexpr int kMost = kSignedMost, kOffset = kSignedOffset;
  template <typename Rows>
  static HADAL_INLINE void LoadScale(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    tile.scale[0] = AsFloat(Gather32(rows.scale, 4 * (b / 4)));
  }
  template <typename Rows>
  static HADAL_INLINE void LoadCodes(const Rows& rows, std::int64_t b, ScaledTile& tile) {
    for (int half = 0; half < 2; ++half) {
      Int part[4];
      LoadParts(rows.data, 32 * b + 16 * half, part);
      TransposeParts(part, tile.code + 4 * half);
    }
    for (Int& code : tile.code) code = FromSigned(code);
  }
};

// The rows of a tile, each where its entry lies.
struct ListedRows {
  const Bytes* data[kLanes];
  const Bytes* scale[kLanes];
};

// Heads [h, h + kHeads) of a row with one tile, added to the entries' scores.
template <typename Format, int kHeads>
HADAL_INLINE Float AddHeads(const IndexQuery& query, std::int64_t h, std::int64_t columns,
                            const ScaledTile* tile, Float score) {
  const std::int64_t blocks = columns / 32;
  ActivationBlocks<kHeads> x;
  for (int i = 0; i < kHeads; ++i) {
    x.codes[i] = query.codes + (h + i) * columns;
    x.scale[i] = query.scales + (h + i) * blocks;
    x.sums[i] = query.sums + (h + i) * 2 * blocks;
  }
  Float dot[kHeads];
  for (int i = 0; i < kHeads; ++i) dot[i] = ZeroF();
  for (std::int64_t b = 0; b < blocks; ++b) {
    Step<Format, kHeads>(tile[b], x, dot);
    for (int i = 0; i < kHeads; ++i) {
      x.codes[i] += 32;
      x.scale[i] += 1;
      x.sums[i] += 2;
    }
  }
  for (int i = 0; i < kHeads; ++i)
    score = MultiplyAdd(Same(query.weights[h + i]), Relu(dot[i]), score);
  return score;
}

template <typename Format>
HADAL_INLINE void LoadTile(const IndexJob& job, std::int64_t first, ScaledTile* tile) {
  ListedRows rows;
  for (int i = 0; i < kLanes; ++i) {
    const std::int64_t entry = first + i < job.count ? first + i : job.count - 1;
    rows.data[i] = reinterpret_cast<const Bytes*>(job.key[entry]);
    rows.scale[i] = rows.data[i] + job.keys.layout.scales_at;
  }
  for (std::int64_t b = 0; b < job.columns / 32; ++b) {
    Format::LoadScale(rows, b, tile[b]);
    Format::LoadCodes(rows, b, tile[b]);
  }
}

// All tiles of the job are made first: they stay in the first-level cache beside one row's queries,
// which are read again for each of them.
template <typename Format>
void ScoreInt8(const IndexJob& job) noexcept {
  constexpr int kTogether = 4;  // heads that share a pass over a tile
  const std::int64_t blocks = job.columns / 32;
  auto* tiles = reinterpret_cast<ScaledTile*>(job.scratch);
  for (std::int64_t e = 0; e < job.count; e += kLanes)
    LoadTile<Format>(job, e, tiles + e / kLanes * blocks);
  for (std::int64_t r = 0; r < job.row_count; ++r)
    for (std::int64_t e = 0; e < job.count; e += kLanes) {
      const ScaledTile* tile = tiles + e / kLanes * blocks;
      Float score = ZeroF();
      std::int64_t h = 0;
      for (; h + kTogether <= job.heads; h += kTogether)
        score = AddHeads<Format, kTogether>(job.rows[r], h, job.columns, tile, score);
      for (; h < job.heads; ++h)
        score = AddHeads<Format, 1>(job.rows[r], h, job.columns, tile, score);
      Store(job.scores + r * kIndexEntries + e, 0, kLanes, score);
    }
}

void ScoreInt8Wide(const IndexJob& job) noexcept {
  if (job.columns != job.keys.width) return ScoreInt8Ref(job);
  if (job.keys.layout.code == CacheCode::kInt8)
    ScoreInt8<Int8Key>(job);
  else
    ScoreInt8<Fp4Key>(job);
}

}  // namespace
}  // namespace hadal
