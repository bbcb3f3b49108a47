// Tensors of attention, one function a form.
#include "spec/plan_builder.h"

namespace hadal {
namespace {

using enum Role;

void PlanGroupedAttention(PlanBuilder* b) {
  const ModelSpec& spec = b->spec();
  const AttentionSpec& a = spec.attention;
  const std::int64_t key_width = a.kv_heads * a.head_dim;
  b->Matrix(kQ, a.query_width(), spec.hidden);
  PlanBias(b, kQBias, a.input_bias, a.query_width());
  b->Matrix(kK, key_width, spec.hidden);
  PlanBias(b, kKBias, a.input_bias, key_width);
  b->Matrix(kV, key_width, spec.hidden);
  PlanBias(b, kVBias, a.input_bias, key_width);
  b->Matrix(kO, spec.hidden, a.value_width());
  PlanBias(b, kOBias, a.output_bias, spec.hidden);
}

void PlanLatentAttention(PlanBuilder* b) {
  const ModelSpec& spec = b->spec();
  const AttentionSpec& a = spec.attention;
  if (a.q_rank == 0) {
    b->Matrix(kQ, a.query_width(), spec.hidden);
  } else {
    b->Matrix(kQA, a.q_rank, spec.hidden);
    if (a.input_bias) b->Plain(kQABias, {a.q_rank});
    b->Plain(kQANorm, {a.q_rank});
    b->Matrix(kQB, a.query_width(), a.q_rank);
  }
  b->Matrix(kKvA, a.kv_rank + a.rope_dim, spec.hidden);
  if (a.input_bias) b->Plain(kKvABias, {a.kv_rank + a.rope_dim});
  b->Plain(kKvANorm, {a.kv_rank});
  const std::vector<std::int64_t> joined = {a.heads * (a.nope_dim + a.value_dim), a.kv_rank};
  if (b->gguf()) {
    b->Either(kKvB, kKB, joined);
    b->Either(kKB, kKvB, {a.heads, a.kv_rank, a.nope_dim});
    b->Either(kVB, kKvB, {a.heads, a.value_dim, a.kv_rank});
  } else {
    b->Matrix(kKvB, joined[0], joined[1]);
  }
  b->Matrix(kO, spec.hidden, a.value_width());
  if (a.output_bias) b->Plain(kOBias, {spec.hidden});
}

// V3.2, architectures.md 3.2.
void PlanIndexer(PlanBuilder* b) {
  const ModelSpec& spec = b->spec();
  const AttentionSpec& a = spec.attention;
  b->Matrix(kIndexQB, a.index_heads * a.index_head_dim, a.q_rank);
  b->Matrix(kIndexK, a.index_head_dim, spec.hidden);
  b->Plain(kIndexKNorm, {a.index_head_dim});
  b->Plain(kIndexKNormBias, {a.index_head_dim});
  b->Matrix(kIndexWeights, a.index_heads, spec.hidden);
}

// V4: a compressor of its own for keys and one for the indexer; entries of ratio 4 overlap, which
// doubles the projections. architectures.md 4.2.
void PlanCompressorV4(PlanBuilder* b, const LayerSpec& layer) {
  const ModelSpec& spec = b->spec();
  const AttentionSpec& a = spec.attention;
  const bool overlaps = layer.attention == AttentionKind::kCompressedSparse;
  const std::int64_t width = overlaps ? 2 * a.head_dim : a.head_dim;
  b->Matrix(kCompressKv, width, spec.hidden);
  b->Matrix(kCompressGate, width, spec.hidden);
  b->Plain(kCompressPosition, {layer.ratio, width});
  b->Plain(kCompressNorm, {a.head_dim});
  if (!overlaps) return;
  const std::int64_t index_width = 2 * a.index_head_dim;
  b->Matrix(kIndexQB, a.index_heads * a.index_head_dim, a.q_rank);
  b->Matrix(kIndexWeights, a.index_heads, spec.hidden);
  b->Matrix(kIndexCompressKv, index_width, spec.hidden);
  b->Matrix(kIndexCompressGate, index_width, spec.hidden);
  b->Plain(kIndexCompressPosition, {layer.ratio, index_width});
  b->Plain(kIndexCompressNorm, {a.index_head_dim});
}

// V4.1: only sources make entries or selections. architectures.md 5.2.
void PlanCompressorV41(PlanBuilder* b, const LayerSpec& layer, int index) {
  const ModelSpec& spec = b->spec();
  const AttentionSpec& a = spec.attention;
  if (layer.kv_source == index) {
    b->Matrix(kCompressKv, a.head_dim, spec.hidden);
    if (layer.ratio > 1) b->Matrix(kCompressGate, a.head_dim, spec.hidden);
    b->Plain(kCompressNorm, {a.head_dim});
    b->Matrix(kIndexK, a.index_head_dim, a.head_dim);
    b->Plain(kIndexKNorm, {a.index_head_dim});
  }
  if (layer.index_source == index) {
    b->Matrix(kIndexQB, a.index_heads * a.index_head_dim, a.q_rank);
    b->Matrix(kIndexWeights, a.index_heads, spec.hidden);
  }
}

void PlanWindowAttention(PlanBuilder* b) {
  const ModelSpec& spec = b->spec();
  const AttentionSpec& a = spec.attention;
  b->Matrix(kQA, a.q_rank, spec.hidden);
  b->Plain(kQANorm, {a.q_rank});
  b->Matrix(kQB, a.query_width(), a.q_rank);
  b->Matrix(kKv, a.head_dim, spec.hidden);
  b->Plain(kKvNorm, {a.head_dim});
  b->Matrix(kOA, a.output_groups * a.output_rank, a.query_width() / a.output_groups);
  b->Matrix(kOB, spec.hidden, a.output_groups * a.output_rank);
  b->Plain(kSink, {a.heads});
}

}  // namespace

void PlanAttention(PlanBuilder* b, const LayerSpec& layer, int index) {
  switch (layer.attention) {
    case AttentionKind::kGrouped:
      return PlanGroupedAttention(b);
    case AttentionKind::kLatent:
      return PlanLatentAttention(b);
    case AttentionKind::kLatentSparse:
      PlanLatentAttention(b);
      return PlanIndexer(b);
    case AttentionKind::kWindow:
      return PlanWindowAttention(b);
    case AttentionKind::kCompressedSparse:
    case AttentionKind::kCompressed:
      PlanWindowAttention(b);
      if (b->spec().generation == Generation::kDeepSeekV4) return PlanCompressorV4(b, layer);
      return PlanCompressorV41(b, layer, index);
  }
}

}  // namespace hadal
