// TensorPlan: the tensors that a checkpoint of a ModelSpec must hold: role, place, name, logical
// shape. CheckTensors (tensor_check.h) compares it with what a file really holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spec/model_spec.h"

namespace hadal {

// What a tensor is for. Matrices are [out, in], y = W x. H heads, E experts.
enum class Role : std::uint8_t {
  // The whole model (layer -1).
  kEmbedding,       // [vocabulary, hidden]
  kFinalNorm,       // [hidden]
  kHead,            // [vocabulary, hidden]
  kRopeDivisors,    // GGUF: [rope width / 2]
  kHyperHeadMix,    // [streams, streams * hidden]
  kHyperHeadBase,   // [streams]
  kHyperHeadScale,  // [1]
  // Every layer.
  kAttentionNorm,  // [hidden]
  kFfnNorm,        // [hidden]
  // Grouped attention.
  kQ,
  kQBias,  // [H * head_dim, hidden]; latent attention without q_rank: the same
  kK,
  kKBias,  // [kv_heads * head_dim, hidden]
  kV,
  kVBias,
  kO,
  kOBias,  // [hidden, H * head_dim or value_dim]
  // Latent attention.
  kQA,
  kQABias,  // [q_rank, hidden]
  kQANorm,  // [q_rank]
  kQB,      // [H * (nope + rope), q_rank]; V4: [H * head_dim, q_rank]
  kKvA,
  kKvABias,  // [kv_rank + rope, hidden]: latent rows, then the shared rope key
  kKvANorm,  // [kv_rank]
  kKvB,      // [H * (nope + value), kv_rank]: per head its key rows, then its value rows
  kKB,       // GGUF: [H, kv_rank, nope]: per head the transposed key rows
  kVB,       // GGUF: [H, value, kv_rank]
  // Sparse selection.
  kIndexQB,         // [index_heads * index_head_dim, q_rank]
  kIndexK,          // V3.2: [index_head_dim, hidden]; V4.1: [index_head_dim, head_dim]
  kIndexKNorm,      // [index_head_dim]
  kIndexKNormBias,  // V3.2
  kIndexWeights,    // [index_heads, hidden]
  // V4, V4.1 attention.
  kKv,      // [head_dim, hidden]: key and value of all heads
  kKvNorm,  // [head_dim]
  kOA,      // [groups * output_rank, H * head_dim / groups]
  kOB,      // [hidden, groups * output_rank]
  kSink,    // [H]
  kCompressKv,
  kCompressGate,      // [(2 *) head_dim, hidden]
  kCompressPosition,  // [ratio, (2 *) head_dim]
  kCompressNorm,      // [head_dim]
  kIndexCompressKv,
  kIndexCompressGate,
  kIndexCompressPosition,
  kIndexCompressNorm,
  // Feed-forward: dense, routed (per expert, or stacked [E, out, in] in a GGUF), shared.
  kGate,
  kGateBias,  // [width, hidden]
  kUp,
  kUpBias,
  kDown,
  kDownBias,         // [hidden, width]
  kRouter,           // [E, hidden]
  kRouterBias,       // [E]
  kRouterBiasImage,  // V4.1: [E]
  kRouterTable,      // V4: experts by token id, [vocabulary, experts_per_token] integers
  kExpertGate,
  kExpertUp,
  kExpertDown,
  kSharedGate,
  kSharedUp,
  kSharedDown,
  // Hyper-connections (V4, V4.1).
  kHyperAttentionMix,
  kHyperAttentionBase,
  kHyperAttentionScale,  // [2n + n^2, n * hidden], ..., [3]
  kHyperFfnMix,
  kHyperFfnBase,
  kHyperFfnScale,
  // Engram (V4.1).
  kEngramTable,  // [rows, head_dim]
  kEngramKv,     // [(streams + 1) * hidden, columns * head_dim]
  kEngramQNorm,
  kEngramKNorm,  // [streams, hidden]
  // Draft layers.
  kDraftEmbedding,
  kDraftHead,  // copies of the main model's
  kDraftEmbeddingNorm,
  kDraftHiddenNorm,
  kDraftNorm,        // [hidden]
  kDraftProjection,  // V3: [hidden, 2 * hidden]: embedding half first
  kDraftEmbeddingProjection,
  kDraftHiddenProjection,  // V4: [hidden, hidden]
  kDraftHyperHeadMix,
  kDraftHyperHeadBase,
  kDraftHyperHeadScale,
  kDraftMain,  // [hidden, targets * hidden]
  kDraftMainNorm,
  kDraftMarkovIn,
  kDraftMarkovOut,   // [vocabulary, markov_rank]
  kDraftConfidence,  // [1, hidden + markov_rank]
};
std::string_view Name(Role role);

// In which number formats a tensor may be stored.
enum class Storage : std::uint8_t {
  kWeight,   // any weight format, with its scales beside it
  kPlain,    // F32, F16 or BF16: norms, biases, routers and other small things
  kInteger,  // I32 or I64
};

enum class Need : std::uint8_t {
  kRequired,
  kOptional,
  kUnlessOther,  // required unless the tensor of role `other` of the same layer is there
};

struct ExpectedTensor {
  Role role = Role::kEmbedding;
  int layer = -1;                   // -1: not of a layer; draft layers count on from layer_count
  std::string name;                 // of the data; '#' stands for the number of the expert
  std::int64_t instances = 1;       // tensors under that name: the experts, where each has its own
  std::vector<std::int64_t> shape;  // logical; of one instance
  Storage storage = Storage::kWeight;
  Need need = Need::kRequired;
  Role other = Role::kEmbedding;  // for kUnlessOther
  bool draft = false;             // belongs to a draft layer

  std::string InstanceName(std::int64_t instance) const;
  std::int64_t values() const;  // of all instances
};

// Immutable once made; any thread.
class TensorPlan {
 public:
  // In the order of layers: those of the whole model, then layer 0, 1, ....
  explicit TensorPlan(std::vector<ExpectedTensor> tensors);

  const std::vector<ExpectedTensor>& tensors() const { return tensors_; }
  // Null where the model has no such tensor.
  const ExpectedTensor* Find(Role role, int layer = -1) const;
  // Its position in tensors(), or -1.
  std::int64_t IndexOf(Role role, int layer = -1) const;

 private:
  std::vector<ExpectedTensor> tensors_;
  std::vector<std::size_t> first_of_layer_;  // [layers + 2], from layer -1 on
};

// The plan of a parsed model. Work is bounded by the number of layers, not of experts.
TensorPlan MakeTensorPlan(const ModelSpec& spec);

}  // namespace hadal
