#include "spec/tensor_plan.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "spec/plan_builder.h"

namespace hadal {
namespace {

using enum Role;

void PlanWholeModel(PlanBuilder* b) {
  const ModelSpec& spec = b->spec();
  b->Matrix(kEmbedding, spec.vocabulary, spec.hidden);
  b->Plain(kFinalNorm, {spec.hidden});
  if (spec.head_optional)
    b->Optional(kHead, spec.vocabulary, spec.hidden);
  else
    b->Matrix(kHead, spec.vocabulary, spec.hidden);
  if (spec.generation == Generation::kLlama && b->gguf())
    b->OptionalPlain(kRopeDivisors, {spec.ropes[0].width / 2});
  if (spec.generation == Generation::kDeepSeekV4) {
    const std::int64_t n = spec.hyper.streams;
    b->Plain(kHyperHeadMix, {n, n * spec.hidden});
    b->Plain(kHyperHeadBase, {n});
    b->Plain(kHyperHeadScale, {1});
  }
}

void PlanDense(PlanBuilder* b) {
  const ModelSpec& spec = b->spec();
  b->Matrix(kGate, spec.ffn_width, spec.hidden);
  PlanBias(b, kGateBias, spec.ffn_bias, spec.ffn_width);
  b->Matrix(kUp, spec.ffn_width, spec.hidden);
  PlanBias(b, kUpBias, spec.ffn_bias, spec.ffn_width);
  b->Matrix(kDown, spec.hidden, spec.ffn_width);
  PlanBias(b, kDownBias, spec.ffn_bias, spec.hidden);
}

void PlanMixture(PlanBuilder* b, const MixtureSpec& mixture, bool hash_routing) {
  const ModelSpec& spec = b->spec();
  b->Plain(kRouter, {mixture.experts, spec.hidden});
  if (hash_routing)
    b->Add(kRouterTable, {spec.vocabulary, mixture.experts_per_token}, Storage::kInteger);
  else if (mixture.selection_bias)
    b->Plain(kRouterBias, {mixture.experts});
  if (spec.generation == Generation::kDeepSeekV41)
    b->OptionalPlain(kRouterBiasImage, {mixture.experts});
  b->Experts(kExpertGate, mixture.experts, mixture.width, spec.hidden);
  b->Experts(kExpertUp, mixture.experts, mixture.width, spec.hidden);
  b->Experts(kExpertDown, mixture.experts, spec.hidden, mixture.width);
  if (mixture.shared_experts == 0) return;
  b->Matrix(kSharedGate, mixture.shared_width(), spec.hidden);
  b->Matrix(kSharedUp, mixture.shared_width(), spec.hidden);
  b->Matrix(kSharedDown, spec.hidden, mixture.shared_width());
}

void PlanHyper(PlanBuilder* b) {
  const std::int64_t n = b->spec().hyper.streams;
  if (n == 0) return;
  const std::int64_t mixes = 2 * n + n * n;  // pre, post, combination
  for (const auto& [mix, base, scale] :
       {std::array{kHyperAttentionMix, kHyperAttentionBase, kHyperAttentionScale},
        std::array{kHyperFfnMix, kHyperFfnBase, kHyperFfnScale}}) {
    b->Plain(mix, {mixes, n * b->spec().hidden});
    b->Plain(base, {mixes});
    b->Plain(scale, {3});
  }
}

void PlanEngram(PlanBuilder* b, const LayerSpec& layer) {
  if (layer.engram < 0) return;
  const ModelSpec& spec = b->spec();
  const EngramSpec& engram = spec.engram;
  const std::int64_t streams = spec.hyper.streams;
  b->Matrix(kEngramTable, engram.rows[static_cast<std::size_t>(layer.engram)], engram.head_dim);
  b->Matrix(kEngramKv, (streams + 1) * spec.hidden, engram.columns() * engram.head_dim);
  b->Plain(kEngramQNorm, {streams, spec.hidden});
  b->Plain(kEngramKNorm, {streams, spec.hidden});
}

}  // namespace

void PlanBias(PlanBuilder* b, Role role, bool announced, std::int64_t width) {
  if (announced)
    b->Plain(role, {width});
  else if (b->gguf() && b->spec().generation == Generation::kLlama)
    b->OptionalPlain(role, {width});
}

void PlanBlock(PlanBuilder* b, const LayerSpec& layer, int index, const MixtureSpec& mixture) {
  b->Plain(kAttentionNorm, {b->spec().hidden});
  PlanAttention(b, layer, index);
  b->Plain(kFfnNorm, {b->spec().hidden});
  if (layer.ffn == FfnKind::kMixture)
    PlanMixture(b, mixture, layer.hash_routing);
  else
    PlanDense(b);
  PlanHyper(b);
  PlanEngram(b, layer);
}

std::string ExpectedTensor::InstanceName(std::int64_t instance) const {
  const std::size_t at = name.find('#');
  if (at == std::string::npos) return name;
  return fmt::format("{}{}{}", std::string_view(name).substr(0, at), instance,
                     std::string_view(name).substr(at + 1));
}

std::int64_t ExpectedTensor::values() const {
  std::int64_t count = instances;
  for (const std::int64_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count))
      return std::numeric_limits<std::int64_t>::max();
  return count;
}

TensorPlan::TensorPlan(std::vector<ExpectedTensor> tensors) : tensors_(std::move(tensors)) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const auto slot = static_cast<std::size_t>(tensors_[i].layer + 1);
    while (first_of_layer_.size() <= slot) first_of_layer_.push_back(i);
  }
  first_of_layer_.push_back(tensors_.size());
}

std::int64_t TensorPlan::IndexOf(Role role, int layer) const {
  const auto slot = static_cast<std::size_t>(layer + 1);
  if (layer < -1 || slot + 1 >= first_of_layer_.size()) return -1;
  for (std::size_t i = first_of_layer_[slot]; i < first_of_layer_[slot + 1]; ++i)
    if (tensors_[i].role == role) return static_cast<std::int64_t>(i);
  return -1;
}

const ExpectedTensor* TensorPlan::Find(Role role, int layer) const {
  const std::int64_t index = IndexOf(role, layer);
  return index < 0 ? nullptr : &tensors_[static_cast<std::size_t>(index)];
}

TensorPlan MakeTensorPlan(const ModelSpec& spec) {
  PlanBuilder builder(spec);
  PlanWholeModel(&builder);
  for (int i = 0; i < static_cast<int>(spec.layer_count()); ++i) {
    const LayerSpec& layer = spec.layers[static_cast<std::size_t>(i)];
    builder.EnterLayer(i);
    PlanBlock(&builder, layer, i, spec.mixture);
  }
  for (std::int64_t i = 0; i < spec.draft.layers; ++i) PlanDraft(&builder, i);
  return TensorPlan(std::move(builder).Take());
}

}  // namespace hadal
