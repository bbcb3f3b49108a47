#include "spec/tensor_names.h"

#include <fmt/format.h>

#include "base/check.h"

namespace hadal {
namespace {

using enum Role;

// Suffixes behind "model.layers.N.", "layers.N." (draft: "mtp.N.") and "blk.N."; whole names for
// what belongs to no layer. "" where a layout has none. '#': the number of the expert.
struct NameRow {
  Role role;
  std::string_view name;          // of the role, for people
  std::string_view hugging_face;  // V2, V3, V3.2, llama, qwen2
  std::string_view release;       // V4, V4.1
  std::string_view gguf;          // llama.cpp
};
// clang-format off
constexpr NameRow kRows[] = {
    {kEmbedding, "embedding", "model.embed_tokens.weight", "embed.weight", "token_embd.weight"},
    {kFinalNorm, "final_norm", "model.norm.weight", "norm.weight", "output_norm.weight"},
    {kHead, "head", "lm_head.weight", "head.weight", "output.weight"},
    {kRopeDivisors, "rope_divisors", "", "", "rope_freqs.weight"},
    {kHyperHeadMix, "hyper_head_mix", "", "hc_head_fn", ""},
    {kHyperHeadBase, "hyper_head_base", "", "hc_head_base", ""},
    {kHyperHeadScale, "hyper_head_scale", "", "hc_head_scale", ""},
    {kAttentionNorm, "attention_norm", "input_layernorm.weight", "attn_norm.weight", "attn_norm.weight"},
    {kFfnNorm, "ffn_norm", "post_attention_layernorm.weight", "ffn_norm.weight", "ffn_norm.weight"},
    {kQ, "q", "self_attn.q_proj.weight", "", "attn_q.weight"},
    {kQBias, "q_bias", "self_attn.q_proj.bias", "", "attn_q.bias"},
    {kK, "k", "self_attn.k_proj.weight", "", "attn_k.weight"},
    {kKBias, "k_bias", "self_attn.k_proj.bias", "", "attn_k.bias"},
    {kV, "v", "self_attn.v_proj.weight", "", "attn_v.weight"},
    {kVBias, "v_bias", "self_attn.v_proj.bias", "", "attn_v.bias"},
    {kO, "o", "self_attn.o_proj.weight", "", "attn_output.weight"},
    {kOBias, "o_bias", "self_attn.o_proj.bias", "", "attn_output.bias"},
    {kQA, "q_a", "self_attn.q_a_proj.weight", "attn.wq_a.weight", "attn_q_a.weight"},
    {kQABias, "q_a_bias", "self_attn.q_a_proj.bias", "", ""},
    {kQANorm, "q_a_norm", "self_attn.q_a_layernorm.weight", "attn.q_norm.weight", "attn_q_a_norm.weight"},
    {kQB, "q_b", "self_attn.q_b_proj.weight", "attn.wq_b.weight", "attn_q_b.weight"},
    {kKvA, "kv_a", "self_attn.kv_a_proj_with_mqa.weight", "", "attn_kv_a_mqa.weight"},
    {kKvABias, "kv_a_bias", "self_attn.kv_a_proj_with_mqa.bias", "", ""},
    {kKvANorm, "kv_a_norm", "self_attn.kv_a_layernorm.weight", "", "attn_kv_a_norm.weight"},
    {kKvB, "kv_b", "self_attn.kv_b_proj.weight", "", "attn_kv_b.weight"},
    {kKB, "k_b", "", "", "attn_k_b.weight"},
    {kVB, "v_b", "", "", "attn_v_b.weight"},
    {kIndexQB, "index_q_b", "self_attn.indexer.wq_b.weight", "attn.indexer.wq_b.weight", ""},
    {kIndexK, "index_k", "self_attn.indexer.wk.weight", "attn.indexer.wk.weight", ""},
    {kIndexKNorm, "index_k_norm", "self_attn.indexer.k_norm.weight", "attn.indexer.k_norm.weight", ""},
    {kIndexKNormBias, "index_k_norm_bias", "self_attn.indexer.k_norm.bias", "", ""},
    {kIndexWeights, "index_weights", "self_attn.indexer.weights_proj.weight", "attn.indexer.weights_proj.weight", ""},
    {kKv, "kv", "", "attn.wkv.weight", ""},
    {kKvNorm, "kv_norm", "", "attn.kv_norm.weight", ""},
    {kOA, "o_a", "", "attn.wo_a.weight", ""},
    {kOB, "o_b", "", "attn.wo_b.weight", ""},
    {kSink, "sink", "", "attn.attn_sink", ""},
    {kCompressKv, "compress_kv", "", "attn.compressor.wkv.weight", ""},
    {kCompressGate, "compress_gate", "", "attn.compressor.wgate.weight", ""},
    {kCompressPosition, "compress_position", "", "attn.compressor.ape", ""},
    {kCompressNorm, "compress_norm", "", "attn.compressor.norm.weight", ""},
    {kIndexCompressKv, "index_compress_kv", "", "attn.indexer.compressor.wkv.weight", ""},
    {kIndexCompressGate, "index_compress_gate", "", "attn.indexer.compressor.wgate.weight", ""},
    {kIndexCompressPosition, "index_compress_position", "", "attn.indexer.compressor.ape", ""},
    {kIndexCompressNorm, "index_compress_norm", "", "attn.indexer.compressor.norm.weight", ""},
    {kGate, "gate", "mlp.gate_proj.weight", "", "ffn_gate.weight"},
    {kGateBias, "gate_bias", "mlp.gate_proj.bias", "", "ffn_gate.bias"},
    {kUp, "up", "mlp.up_proj.weight", "", "ffn_up.weight"},
    {kUpBias, "up_bias", "mlp.up_proj.bias", "", "ffn_up.bias"},
    {kDown, "down", "mlp.down_proj.weight", "", "ffn_down.weight"},
    {kDownBias, "down_bias", "mlp.down_proj.bias", "", "ffn_down.bias"},
    {kRouter, "router", "mlp.gate.weight", "ffn.gate.weight", "ffn_gate_inp.weight"},
    {kRouterBias, "router_bias", "mlp.gate.e_score_correction_bias", "ffn.gate.bias", "exp_probs_b.bias"},
    {kRouterBiasImage, "router_bias_image", "", "ffn.gate.bias_vl", ""},
    {kRouterTable, "router_table", "", "ffn.gate.tid2eid", ""},
    {kExpertGate, "expert_gate", "mlp.experts.#.gate_proj.weight", "ffn.experts.#.w1.weight", "ffn_gate_exps.weight"},
    {kExpertUp, "expert_up", "mlp.experts.#.up_proj.weight", "ffn.experts.#.w3.weight", "ffn_up_exps.weight"},
    {kExpertDown, "expert_down", "mlp.experts.#.down_proj.weight", "ffn.experts.#.w2.weight", "ffn_down_exps.weight"},
    {kSharedGate, "shared_gate", "mlp.shared_experts.gate_proj.weight", "ffn.shared_experts.w1.weight", "ffn_gate_shexp.weight"},
    {kSharedUp, "shared_up", "mlp.shared_experts.up_proj.weight", "ffn.shared_experts.w3.weight", "ffn_up_shexp.weight"},
    {kSharedDown, "shared_down", "mlp.shared_experts.down_proj.weight", "ffn.shared_experts.w2.weight", "ffn_down_shexp.weight"},
    {kHyperAttentionMix, "hyper_attention_mix", "", "hc_attn_fn", ""},
    {kHyperAttentionBase, "hyper_attention_base", "", "hc_attn_base", ""},
    {kHyperAttentionScale, "hyper_attention_scale", "", "hc_attn_scale", ""},
    {kHyperFfnMix, "hyper_ffn_mix", "", "hc_ffn_fn", ""},
    {kHyperFfnBase, "hyper_ffn_base", "", "hc_ffn_base", ""},
    {kHyperFfnScale, "hyper_ffn_scale", "", "hc_ffn_scale", ""},
    {kEngramTable, "engram_table", "", "engram.embed.weight", ""},
    {kEngramKv, "engram_kv", "", "engram.wkv.weight", ""},
    {kEngramQNorm, "engram_q_norm", "", "engram.q_weight", ""},
    {kEngramKNorm, "engram_k_norm", "", "engram.k_weight", ""},
    {kDraftEmbedding, "draft_embedding", "embed_tokens.weight", "", "nextn.embed_tokens.weight"},
    {kDraftHead, "draft_head", "shared_head.head.weight", "", "nextn.shared_head_head.weight"},
    {kDraftEmbeddingNorm, "draft_embedding_norm", "enorm.weight", "enorm.weight", "nextn.enorm.weight"},
    {kDraftHiddenNorm, "draft_hidden_norm", "hnorm.weight", "hnorm.weight", "nextn.hnorm.weight"},
    {kDraftNorm, "draft_norm", "shared_head.norm.weight", "norm.weight", "nextn.shared_head_norm.weight"},
    {kDraftProjection, "draft_projection", "eh_proj.weight", "", "nextn.eh_proj.weight"},
    {kDraftEmbeddingProjection, "draft_embedding_projection", "", "e_proj.weight", ""},
    {kDraftHiddenProjection, "draft_hidden_projection", "", "h_proj.weight", ""},
    {kDraftHyperHeadMix, "draft_hyper_head_mix", "", "hc_head_fn", ""},
    {kDraftHyperHeadBase, "draft_hyper_head_base", "", "hc_head_base", ""},
    {kDraftHyperHeadScale, "draft_hyper_head_scale", "", "hc_head_scale", ""},
    {kDraftMain, "draft_main", "", "main_proj.weight", ""},
    {kDraftMainNorm, "draft_main_norm", "", "main_norm.weight", ""},
    {kDraftMarkovIn, "draft_markov_in", "", "markov_head.embed.weight", ""},
    {kDraftMarkovOut, "draft_markov_out", "", "markov_head.head.weight", ""},
    {kDraftConfidence, "draft_confidence", "", "confidence_head.proj.weight", ""},
};
// clang-format on

constexpr bool RowsFollowTheEnum() {
  int next = 0;
  for (const NameRow& row : kRows)
    if (static_cast<int>(row.role) != next++) return false;
  return next == static_cast<int>(kDraftConfidence) + 1;
}
static_assert(RowsFollowTheEnum(), "one row a role, in the order of the enum");

const NameRow& RowOf(Role role) { return kRows[static_cast<std::size_t>(role)]; }

}  // namespace

std::string_view Name(Role role) { return RowOf(role).name; }

NameScheme SchemeOf(const ModelSpec& spec) {
  if (spec.container == Container::kGguf) return NameScheme::kGguf;
  return spec.generation == Generation::kDeepSeekV4 || spec.generation == Generation::kDeepSeekV41
             ? NameScheme::kRelease
             : NameScheme::kHuggingFace;
}

std::string TensorName(NameScheme scheme, Role role, Place place) {
  const NameRow& row = RowOf(role);
  switch (scheme) {
    case NameScheme::kHuggingFace:
      if (row.hugging_face.empty()) return "";
      if (place.layer < 0) return std::string(row.hugging_face);
      return fmt::format("model.layers.{}.{}", place.layer, row.hugging_face);
    case NameScheme::kRelease:
      if (row.release.empty()) return "";
      if (place.layer < 0) return std::string(row.release);
      if (place.draft) return fmt::format("mtp.{}.{}", place.draft_index, row.release);
      return fmt::format("layers.{}.{}", place.layer, row.release);
    case NameScheme::kGguf:
      if (row.gguf.empty()) return "";
      if (place.layer < 0) return std::string(row.gguf);
      return fmt::format("blk.{}.{}", place.layer, row.gguf);
  }
  HADAL_CHECK(false, "an unknown name scheme");
}

}  // namespace hadal
