// Multi-head latent attention, absorbed, in prefill and decode alike: the cache holds one latent
// and one rotary key per token, never expanded heads. DeepSeek-V2 (2024), section 2.1;
// architectures.md 1.3.
#pragma once

#include <memory>
#include <vector>

#include "model/block.h"

namespace hadal {

struct LatentAttentionWeights {
  // Query: either direct (q) or through a low rank (q_a, norm, q_b).
  Linear q;         // [heads * (nope + rope), hidden]; unused where q_rank > 0
  Linear q_a, q_b;  // [q_rank, hidden], [heads * (nope + rope), q_rank]
  View q_a_norm;    // [q_rank]
  Linear kv_a;      // [latent + rope, hidden]: latent first, then the shared rotary key
  View kv_a_norm;   // [latent]
  // Per head: nope -> latent (the key half of kv_b, transposed) and latent -> value.
  std::vector<Linear> absorb_key, expand_value;
  Linear o;  // [hidden, heads * value]

  std::int64_t heads = 0, q_rank = 0, latent = 0, nope = 0, rope = 0, value = 0;
  RopeLayout layout = RopeLayout::kInterleaved;
  float scale = 1.0f;          // (nope + rope)^-1/2, times YaRN's m^2
  float norm_epsilon = 1e-6f;  // of q_a_norm and kv_a_norm
  std::size_t part = 0;        // in the cache layout: [latent + rope] a token
};

std::unique_ptr<Block> MakeLatentAttention(LatentAttentionWeights weights);

// Scratch that one run takes, for `rows` rows.
std::uint64_t LatentAttentionScratchBytes(std::int64_t rows, std::int64_t heads,
                                          std::int64_t q_rank, std::int64_t latent,
                                          std::int64_t nope, std::int64_t rope, std::int64_t value);

}  // namespace hadal
