// Scores of narrow keys in the order "lanes": a block of keys is turned, so that keys lie in the
// lanes of a register and the sixteen chains of a dot in registers of their own. Their sums then
// need no shuffles, which for heads of 64 or 128 columns cost as much as the products. After a
// part_*.h.
#pragma once

#include "kernels/attention/kernel.h"

namespace hadal {
namespace {

// Whole groups of sixteen columns, few enough that a turned block stays in the first-level cache.
HADAL_INLINE bool IsNarrow(std::int64_t width) { return width % 16 == 0 && width <= 128; }

// Turns the rows at `row` (kAttendKeys of them, bf16 or f32): column k of all keys is at turned + k
// * kAttendKeys.
inline __attribute__((noinline)) void TurnKeys(const std::byte* const* row, DType dtype,
                                               std::int64_t width, float* turned) {
  const std::int64_t values = dtype == DType::kBF16 ? 2 : 1;  // of a lane of 32 bits
  for (std::int64_t j = 0; j < kAttendKeys; j += kPartLanes)
    for (std::int64_t at = 0; at < width; at += values * kPartLanes) {
      const std::int64_t left = (width - at) / values;
      Part lanes[kPartLanes];
      for (int i = 0; i < kPartLanes; ++i)
        lanes[i] = LoadFirst(reinterpret_cast<const float*>(row[j + i]) + at / values, left);
      Transpose(lanes);
      float* to = turned + at * kAttendKeys + j;
      for (int i = 0; i < kPartLanes && i < left; ++i) {
        if (values == 1) {
          Store(to + i * kAttendKeys, lanes[i]);
        } else {
          Store(to + 2 * i * kAttendKeys, FirstOfPairs(lanes[i]));
          Store(to + (2 * i + 1) * kAttendKeys, SecondOfPairs(lanes[i]));
        }
      }
    }
}

// Scaled scores of kRows queries with keys [0, kLaneParts * kPartLanes) of a turned block; score of
// query r and key j: scores[r * kAttendKeys + j].
template <int kRows>
HADAL_INLINE void ScoreTurnedRows(const float* const* q, const float* turned, std::int64_t width,
                                  Part scale, float* scores) {
  // The tree 8, 4, 2, 1 apart, walked depth first: a chain's sum meets those of finished branches.
  constexpr int kChain[16] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15};
  Part branch[4][kRows][kLaneParts];
  for (int i = 0; i < 16; ++i) {
    Part sum[kRows][kLaneParts];
    for (int r = 0; r < kRows; ++r)
      for (int p = 0; p < kLaneParts; ++p) sum[r][p] = ZeroPart();
    for (std::int64_t k = kChain[i]; k < width; k += 16) {
      Part key[kLaneParts];
      for (int p = 0; p < kLaneParts; ++p) key[p] = Load(turned + k * kAttendKeys + p * kPartLanes);
      for (int r = 0; r < kRows; ++r) {
        const Part left = Same(q[r][k]);
        for (int p = 0; p < kLaneParts; ++p) sum[r][p] = MultiplyAdd(left, key[p], sum[r][p]);
      }
    }
    int depth = 0;
    for (; ((i >> depth) & 1) != 0; ++depth)
      for (int r = 0; r < kRows; ++r)
        for (int p = 0; p < kLaneParts; ++p) sum[r][p] = Add(branch[depth][r][p], sum[r][p]);
    for (int r = 0; r < kRows; ++r)
      for (int p = 0; p < kLaneParts; ++p) {
        if (depth < 4)
          branch[depth][r][p] = sum[r][p];
        else
          Store(scores + r * kAttendKeys + p * kPartLanes, Multiply(sum[r][p], scale));
      }
  }
}

// `rows` queries with all keys of a turned block.
inline __attribute__((noinline)) void ScoreTurned(const float* const* q, int rows,
                                                  const float* turned, std::int64_t width,
                                                  float scale_of_all, float* scores) {
  const Part scale = Same(scale_of_all);
  for (int r = 0; r < rows; r += 4)
    for (std::int64_t j = 0; j < kAttendKeys; j += kLaneParts * kPartLanes) {
      float* to = scores + r * kAttendKeys + j;
      switch (rows - r) {
        case 1:
          ScoreTurnedRows<1>(q + r, turned + j, width, scale, to);
          break;
        case 2:
          ScoreTurnedRows<2>(q + r, turned + j, width, scale, to);
          break;
        case 3:
          ScoreTurnedRows<3>(q + r, turned + j, width, scale, to);
          break;
        default:
          ScoreTurnedRows<4>(q + r, turned + j, width, scale, to);
      }
    }
}

}  // namespace
}  // namespace hadal
