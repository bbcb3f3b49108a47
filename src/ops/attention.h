// Attention over paged caches, one form for every token: which one, the profile and what is cached
// say, never the number of rows.
//
// Keys are taken in blocks of 64 at absolute positions (multiples of 64), ascending, so that a
// result depends on the query, the keys and their positions alone: not on chunking, batch or
// threads. Per query row and head, with m = -inf, l = 0, o = 0:
//   s_j = (dot of q and k_j, order "lanes" of matmul.h) * scale, for the visible keys of the block
//   m' = max(m, max_j s_j); c = exp(m - m'); p_j = exp(s_j - m')
//   l = fma(l, c, sum of p_j) where the sum runs in the order "lanes" (invisible keys count as +0)
//   o[d] = fma chain over ascending j of p_j * v_j[d], started from o[d] * c
// and at the end o / l (one division a value). exp is numeric::Exp. Dao et al. 2022 (streaming
// form). Keys and values are read in the cache's stored form and decoded to f32 exactly, those of
// the current chunk too.
//
// The bf16 form: profile `fast`, where a key's first columns are its value and no cached row is f32
// (multi-head latent attention and its kin). It multiplies pairs of bf16 with f32 sums, by the step
//   pair(c, a, b) = fma(a[0], b[0], fma(a[1], b[1], c))
// denormal inputs and results zero: VDPBF16PS of AVX-512 (Intel's manual, volume 2A), or two fused
// steps. q is rounded to bf16, the scale stays with the score. Cached rows are bf16 already or are
// rounded; of the packed forms only kInt8Index is not exact then. The same as above but for:
//   dot of q and k_j: columns 2 n, 2 n + 1 are a pair of lane n % 16, and pairs follow one another
//     by `pair`, from 0, zeros behind the last column; then the tree of "lanes"
//   p_j = bf16(exp(s_j - m')), in the sum l too
//   o[d] = chain over ascending n of pair(o[d], p, v[d]) for places 2 n, 2 n + 1 of the block; of a
//     pair with one visible place the other counts as p = 0, v = 0
// and all f32 arithmetic of a job, softmax and division too, flushes denormals. The vendor's
// kernels for these models round the same (FlashMLA: bf16 queries and weights, FP8 keys decoded to
// bf16).
#pragma once

#include <cstdint>
#include <span>

#include "numeric/cache_form.h"
#include "tensor/view.h"

namespace hadal {

inline constexpr std::int64_t kPageTokens = 64;

// A part of one sequence's cache: pages of page_rows rows. Row t lies in
// pages[t / page_rows - first_page] at t % page_rows; pages before first_page were given back.
struct PagedRows {
  std::span<const std::uint64_t> pages;  // handles of the pages, in the space of the table's device
  std::int64_t first_page = 0;
  std::int64_t page_rows = kPageTokens;
  std::uint64_t offset_bytes = 0;      // of this part within a page
  DType dtype = DType::kF32;           // kF32, kBF16, or kU8 for packed rows
  CacheForm form = CacheForm::kPlain;  // kBF16 with another form: rounded to it, then stored
  std::int64_t plain_columns = 0;      // the last columns, which kFp8Rope and kFp8Latent keep BF16
  std::uint64_t row_bytes = 0;         // kU8: of a packed row
  std::int64_t width = 0;              // values per row; rows lie densely
};

// Rows of one sequence within a step.
struct AttendRows {
  std::int64_t first_row = 0;  // in q and y
  std::int64_t row_count = 0;  // consecutive positions
  std::int64_t position = 0;   // of the first row; row i sees keys 0 .. position + i
  PagedRows keys;    // MLA: latents then rope keys [latent + rope]; GQA: [kv_heads * head_dim]
  PagedRows values;  // GQA: [kv_heads * head_dim]; MLA: unused (values are the latents)
};

// Absorbed multi-head latent attention: all heads share one row per token; the value of a token is
// the first `latent` columns of its key. DeepSeek-V2 (2024), section 2.1; architectures.md 1.3.
struct AttendLatent {
  View q;  // f32 [rows, heads * (latent + rope)]
  View y;  // f32 [rows, heads * latent]
  std::int64_t heads = 0, latent = 0, rope = 0;
  float scale = 1.0f;
  std::span<const AttendRows> sequences;
};

// Grouped-query attention (Ainslie et al. 2023): query head a reads key head a / (heads /
// kv_heads).
struct AttendGrouped {
  View q;  // f32 [rows, heads * head_dim]
  View y;  // f32 [rows, heads * head_dim]
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0;
  float scale = 1.0f;
  std::span<const AttendRows> sequences;
};

// Writes f32 rows into a cache part: row i to row position + i of the part, rounded to bf16
// (nearest even), encoded (kU8), or rounded to the form and then stored as bf16.
struct StoreRows {
  View x;  // f32 [rows, width], rows may be strided
  PagedRows to;
  std::int64_t position = 0;
};

}  // namespace hadal
