// Chains over ascending rows of a matrix, columns in the lanes: y[r][c] = fma(x[r][n], w[n][c],
// y[r][c]). After a part_*.h. Shared by transposed products and by the values of attention.
#pragma once

namespace hadal {
namespace {

struct OuterBlock {
  const float* const* x = nullptr;  // by row, n values each
  float* const* y = nullptr;        // by row, `columns` values each, added to
  int rows = 0;                     // <= kOuterRows
  const float* w = nullptr;         // [n, columns]
  std::int64_t w_stride = 0;
  std::int64_t n = 0;
  std::int64_t columns = 0;
};

// Columns [at, at + kCount registers); the last register holds `last` of them.
template <int kRows, int kCount>
HADAL_INLINE void AddOuterParts(const OuterBlock& b, std::int64_t at, std::int64_t last) {
  Part sum[kRows][kCount];
  for (int r = 0; r < kRows; ++r)
    for (int p = 0; p < kCount; ++p)
      sum[r][p] = p + 1 < kCount ? Load(b.y[r] + at + p * kPartLanes)
                                 : LoadFirst(b.y[r] + at + p * kPartLanes, last);
  const float* w = b.w + at;
  for (std::int64_t n = 0; n < b.n; ++n, w += b.w_stride) {
    Part right[kCount];
    for (int p = 0; p < kCount; ++p)
      right[p] = p + 1 < kCount ? Load(w + p * kPartLanes) : LoadFirst(w + p * kPartLanes, last);
    for (int r = 0; r < kRows; ++r) {
      const Part left = Same(b.x[r][n]);
      for (int p = 0; p < kCount; ++p) sum[r][p] = MultiplyAdd(left, right[p], sum[r][p]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int p = 0; p < kCount; ++p)
      if (p + 1 < kCount)
        Store(b.y[r] + at + p * kPartLanes, sum[r][p]);
      else
        StoreFirst(b.y[r] + at + p * kPartLanes, sum[r][p], last);
}

template <int kRows>
HADAL_INLINE void AddOuterRows(const OuterBlock& b) {
  constexpr std::int64_t kStep = kOuterParts * kPartLanes;
  std::int64_t at = 0;
  for (; at + kStep <= b.columns; at += kStep) AddOuterParts<kRows, kOuterParts>(b, at, kPartLanes);
  for (; at < b.columns; at += kPartLanes) AddOuterParts<kRows, 1>(b, at, b.columns - at);
}

inline __attribute__((noinline)) void AddOuter(const OuterBlock& b) {
  switch (b.rows) {
    case 1:
      return AddOuterRows<1>(b);
    case 2:
      return AddOuterRows<2>(b);
    case 3:
      return AddOuterRows<3>(b);
    case 4:
      return AddOuterRows<4>(b);
    default:
      if constexpr (kOuterRows > 4) {
        if (b.rows == 5) return AddOuterRows<5>(b);
        return AddOuterRows<6>(b);
      }
  }
}

}  // namespace
}  // namespace hadal
