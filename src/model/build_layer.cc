#include "model/build_layer.h"

#include <algorithm>

#include "model/grouped_attention.h"
#include "model/latent_attention.h"
#include "model/mixture.h"

namespace hadal {
namespace {

RopeLayout LayoutOf(RopePairing pairing) {
  return pairing == RopePairing::kHalf ? RopeLayout::kHalf : RopeLayout::kInterleaved;
}

RouterRule RuleOf(const MixtureSpec& spec) {
  RouterRule rule;
  rule.score = spec.score == ExpertScore::kSigmoid ? RouterScore::kSigmoid : RouterScore::kSoftmax;
  rule.groups = spec.groups == ExpertGroups::kBest     ? RouterGroups::kBest
                : spec.groups == ExpertGroups::kTopTwo ? RouterGroups::kTopTwo
                                                       : RouterGroups::kNone;
  rule.experts = spec.experts;
  rule.experts_per_token = spec.experts_per_token;
  rule.group_count = spec.group_count;
  rule.groups_kept = spec.groups_kept;
  rule.normalise = spec.normalise;
  rule.scale_always = spec.scale_always;
  rule.normalise_single = spec.normalise_single;
  rule.scaling_factor = spec.factor;
  return rule;
}

Result<std::unique_ptr<Block>> BuildGrouped(WeightStore& store, int layer) {
  const ModelSpec& spec = store.spec();
  const LayerSpec& at = spec.layers[static_cast<std::size_t>(layer)];
  GroupedAttentionWeights w;
  HADAL_ASSIGN_OR_RETURN(w.q, store.Matrix(Role::kQ, Role::kQBias, layer));
  HADAL_ASSIGN_OR_RETURN(w.k, store.Matrix(Role::kK, Role::kKBias, layer));
  HADAL_ASSIGN_OR_RETURN(w.v, store.Matrix(Role::kV, Role::kVBias, layer));
  HADAL_ASSIGN_OR_RETURN(w.o, store.Matrix(Role::kO, Role::kOBias, layer));
  w.heads = spec.attention.heads;
  w.kv_heads = spec.attention.kv_heads;
  w.head_dim = spec.attention.head_dim;
  w.rotated = spec.rope(at).width;
  w.layout = LayoutOf(spec.rope(at).pairing);
  w.scale = spec.attention.softmax_scale;
  w.key_part = static_cast<std::size_t>(at.cache_part);
  w.value_part = w.key_part + 1;
  return MakeGroupedAttention(std::move(w));
}

// The two halves of kv_b, per head: from one matrix [heads * (nope + value), latent], whose key
// rows are used transposed, or from the two stacks that a GGUF keeps.
Status BindHeads(WeightStore& store, int layer, LatentAttentionWeights* w) {
  if (store.Has(Role::kKB, layer)) {
    HADAL_ASSIGN_OR_RETURN(w->absorb_key, store.Matrices(Role::kKB, layer));
    HADAL_ASSIGN_OR_RETURN(w->expand_value, store.Matrices(Role::kVB, layer));
    return {};
  }
  HADAL_ASSIGN_OR_RETURN(const Linear both, store.Matrix(Role::kKvB, layer));
  for (std::int64_t head = 0; head < w->heads; ++head) {
    const std::int64_t first = head * (w->nope + w->value);
    w->absorb_key.push_back(both.StoredRows(first, w->nope).Transposed());
    w->expand_value.push_back(both.StoredRows(first + w->nope, w->value));
  }
  return {};
}

Result<std::unique_ptr<Block>> BuildLatent(WeightStore& store, int layer) {
  const ModelSpec& spec = store.spec();
  const LayerSpec& at = spec.layers[static_cast<std::size_t>(layer)];
  const AttentionSpec& attention = spec.attention;
  LatentAttentionWeights w;
  w.heads = attention.heads;
  w.q_rank = attention.q_rank;
  w.latent = attention.kv_rank;
  w.nope = attention.nope_dim;
  w.rope = attention.rope_dim;
  w.value = attention.value_dim;
  w.layout = LayoutOf(spec.rope(at).pairing);
  w.scale = attention.softmax_scale;
  w.norm_epsilon = attention.latent_norm_epsilon;
  w.part = static_cast<std::size_t>(at.cache_part);
  if (w.q_rank > 0) {
    HADAL_ASSIGN_OR_RETURN(w.q_a, store.Matrix(Role::kQA, Role::kQABias, layer));
    HADAL_ASSIGN_OR_RETURN(w.q_a_norm, store.Vector(Role::kQANorm, layer));
    HADAL_ASSIGN_OR_RETURN(w.q_b, store.Matrix(Role::kQB, layer));
  } else {
    HADAL_ASSIGN_OR_RETURN(w.q, store.Matrix(Role::kQ, Role::kQBias, layer));
  }
  HADAL_ASSIGN_OR_RETURN(w.kv_a, store.Matrix(Role::kKvA, Role::kKvABias, layer));
  HADAL_ASSIGN_OR_RETURN(w.kv_a_norm, store.Vector(Role::kKvANorm, layer));
  HADAL_RETURN_IF_ERROR(BindHeads(store, layer, &w));
  HADAL_ASSIGN_OR_RETURN(w.o, store.Matrix(Role::kO, Role::kOBias, layer));
  return MakeLatentAttention(std::move(w));
}

Result<FeedForwardWeights> BindFeedForward(WeightStore& store, int layer, Role gate, Role up,
                                           Role down) {
  FeedForwardWeights w;
  HADAL_ASSIGN_OR_RETURN(w.gate, store.Matrix(gate, Role::kGateBias, layer));
  HADAL_ASSIGN_OR_RETURN(w.up, store.Matrix(up, Role::kUpBias, layer));
  HADAL_ASSIGN_OR_RETURN(w.down, store.Matrix(down, Role::kDownBias, layer));
  return w;
}

Result<std::unique_ptr<Block>> BuildDense(WeightStore& store, int layer) {
  HADAL_ASSIGN_OR_RETURN(FeedForwardWeights w,
                         BindFeedForward(store, layer, Role::kGate, Role::kUp, Role::kDown));
  return MakeFeedForward(std::move(w));
}

Result<std::unique_ptr<Block>> BuildMixture(WeightStore& store, int layer) {
  MixtureWeights w;
  HADAL_ASSIGN_OR_RETURN(w.router, store.Matrix(Role::kRouter, layer));
  w.router.exact = true;
  if (store.Has(Role::kRouterBias, layer)) {
    HADAL_ASSIGN_OR_RETURN(w.router_bias, store.Vector(Role::kRouterBias, layer));
  }
  w.rule = RuleOf(store.spec().mixture);
  w.has_shared = store.spec().mixture.shared_experts > 0;
  if (w.has_shared) {
    HADAL_ASSIGN_OR_RETURN(w.shared, BindFeedForward(store, layer, Role::kSharedGate,
                                                     Role::kSharedUp, Role::kSharedDown));
  }
  HADAL_ASSIGN_OR_RETURN(w.experts, store.RoutedExperts());
  w.layer = layer;
  return MakeMixture(std::move(w));
}

// The kinds that this version runs, one row each.
struct AttentionRow {
  AttentionKind kind;
  Result<std::unique_ptr<Block>> (*build)(WeightStore& store, int layer);
  std::uint64_t (*scratch_bytes)(const ModelSpec& spec, std::int64_t rows);
};
constexpr AttentionRow kAttention[] = {
    {AttentionKind::kGrouped, BuildGrouped,
     [](const ModelSpec& spec, std::int64_t rows) {
       const AttentionSpec& a = spec.attention;
       return GroupedAttentionScratchBytes(rows, a.heads, a.kv_heads, a.head_dim);
     }},
    {AttentionKind::kLatent, BuildLatent,
     [](const ModelSpec& spec, std::int64_t rows) {
       const AttentionSpec& a = spec.attention;
       return LatentAttentionScratchBytes(rows, a.heads, a.q_rank, a.kv_rank, a.nope_dim,
                                          a.rope_dim, a.value_dim);
     }},
};
struct FfnRow {
  FfnKind kind;
  Result<std::unique_ptr<Block>> (*build)(WeightStore& store, int layer);
  std::uint64_t (*scratch_bytes)(const ModelSpec& spec, std::int64_t rows);
};
constexpr FfnRow kFfn[] = {
    {FfnKind::kDense, BuildDense,
     [](const ModelSpec& spec, std::int64_t rows) {
       return FeedForwardScratchBytes(rows, spec.ffn_width);
     }},
    {FfnKind::kMixture, BuildMixture,
     [](const ModelSpec& spec, std::int64_t rows) {
       return MixtureScratchBytes(rows, spec.hidden, RuleOf(spec.mixture), spec.mixture.width,
                                  spec.mixture.shared_width());
     }},
};

// The row of a kind; nullptr where this version does not run it.
template <typename Row, typename Kind, std::size_t n>
const Row* FindRow(const Row (&table)[n], Kind kind) {
  const auto* row = std::find_if(table, table + n, [kind](const Row& r) { return r.kind == kind; });
  return row == table + n ? nullptr : row;
}

}  // namespace

Result<std::vector<Layer>> BuildLayers(WeightStore& store) {
  const ModelSpec& spec = store.spec();
  std::vector<Layer> layers;
  for (int layer = 0; layer < static_cast<int>(spec.layers.size()); ++layer) {
    const LayerSpec& at = spec.layers[static_cast<std::size_t>(layer)];
    const AttentionRow* attention = FindRow(kAttention, at.attention);
    const FfnRow* ffn = FindRow(kFfn, at.ffn);
    HADAL_CHECK(attention != nullptr && ffn != nullptr,
                "a model that is said to run has a layer kind without a block");
    HADAL_ASSIGN_OR_RETURN(const View attention_norm, store.Vector(Role::kAttentionNorm, layer));
    HADAL_ASSIGN_OR_RETURN(const View ffn_norm, store.Vector(Role::kFfnNorm, layer));
    HADAL_ASSIGN_OR_RETURN(auto attention_block, attention->build(store, layer));
    HADAL_ASSIGN_OR_RETURN(auto ffn_block, ffn->build(store, layer));
    layers.emplace_back(attention_norm, ffn_norm, spec.norm_epsilon, std::move(attention_block),
                        std::move(ffn_block));
  }
  return layers;
}

std::uint64_t LayerScratchBytes(const ModelSpec& spec, std::int64_t rows) {
  std::uint64_t most = 0;
  for (const LayerSpec& layer : spec.layers) {
    const AttentionRow* attention = FindRow(kAttention, layer.attention);
    const FfnRow* ffn = FindRow(kFfn, layer.ffn);
    if (attention != nullptr) most = std::max(most, attention->scratch_bytes(spec, rows));
    if (ffn != nullptr) most = std::max(most, ffn->scratch_bytes(spec, rows));
  }
  return most + 2 * Scratch::Bytes(rows, spec.hidden);
}

}  // namespace hadal
