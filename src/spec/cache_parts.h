// What the layers of a model remember per token, and what that costs. architectures.md section 9,
// docs/architecture.md section 5 ("Cache form by profile").
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "numeric/dtype.h"
#include "numeric/profile.h"
#include "spec/model_spec.h"

namespace hadal {

enum class CachePartKind : std::uint8_t {
  kTokens = 0,   // one entry for every `tokens_per_entry` tokens, kept as long as the sequence
  kWindow = 1,   // a ring of `entries`, whatever the length
  kPartial = 2,  // `entries` that an unfinished group of tokens is summed in
};

// One part of one layer.
struct CachePart {
  std::string_view name;  // "keys", "values", "latent", "index", "window", "compressed", ...
  int layer = 0;
  CachePartKind kind = CachePartKind::kTokens;
  std::int64_t width = 0;             // values per entry
  std::int64_t tokens_per_entry = 1;  // kTokens
  std::int64_t entries = 0;           // kWindow, kPartial
  // By profile. A packed vendor form is kU8 and its bytes do not follow from the width.
  std::array<DType, 3> dtype{};
  std::array<std::int64_t, 3> entry_bytes{};

  DType dtype_of(Profile profile) const { return dtype[static_cast<std::size_t>(profile)]; }
  std::int64_t entry_bytes_of(Profile profile) const {
    return entry_bytes[static_cast<std::size_t>(profile)];
  }
};

// The parts of all layers, in order; LayerSpec::cache_part is the index of a layer's first one.
//   grouped:       keys [kv_heads * head_dim], values [the same]
//   latent:        latent [kv_rank + rope]: the normed latent, then the rotated shared key
//   latent sparse: latent, index [index_head_dim]
//   V4, V4.1:      window [head_dim]; compressed [head_dim] and index [index_head_dim] where the
//                  layer makes entries; partial sums of the unfinished group
std::vector<CachePart> CacheParts(const ModelSpec& spec);

// Bytes that one more token costs in the long run (windows and partial sums do not grow).
double CacheBytesPerToken(const ModelSpec& spec, Profile profile);

// Bytes of one sequence of `tokens` tokens, in whole pages of `page_tokens` tokens; saturates.
std::uint64_t CacheBytes(const ModelSpec& spec, Profile profile, std::int64_t tokens,
                         std::int64_t page_tokens);

}  // namespace hadal
