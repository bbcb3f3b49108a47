// PlanBuilder: collects the expected tensors of one place after another. Internal to `spec`.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "spec/tensor_names.h"
#include "spec/tensor_plan.h"

namespace hadal {

class PlanBuilder {
 public:
  explicit PlanBuilder(const ModelSpec& spec) : spec_(spec), scheme_(SchemeOf(spec)) {}

  void EnterLayer(int layer) { place_ = {layer, false, 0}; }
  void EnterDraft(int index) {
    place_ = {static_cast<int>(spec_.layer_count()) + index, true, index};
  }

  // A layout without such a tensor does not get one.
  ExpectedTensor* Add(Role role, std::vector<std::int64_t> shape, Storage storage) {
    std::string name = TensorName(scheme_, role, place_);
    if (name.empty()) return nullptr;
    ExpectedTensor tensor;
    tensor.role = role;
    tensor.layer = place_.layer;
    tensor.name = std::move(name);
    tensor.shape = std::move(shape);
    tensor.storage = storage;
    tensor.draft = place_.draft;
    tensors_.push_back(std::move(tensor));
    return &tensors_.back();
  }
  void Matrix(Role role, std::int64_t out, std::int64_t in) {
    Add(role, {out, in}, Storage::kWeight);
  }
  void Plain(Role role, std::vector<std::int64_t> shape) {
    Add(role, std::move(shape), Storage::kPlain);
  }
  void OptionalPlain(Role role, std::vector<std::int64_t> shape) {
    if (ExpectedTensor* tensor = Add(role, std::move(shape), Storage::kPlain))
      tensor->need = Need::kOptional;
  }
  void Optional(Role role, std::int64_t out, std::int64_t in) {
    if (ExpectedTensor* tensor = Add(role, {out, in}, Storage::kWeight))
      tensor->need = Need::kOptional;
  }
  void Either(Role role, Role other, std::vector<std::int64_t> shape) {
    ExpectedTensor* tensor = Add(role, std::move(shape), Storage::kWeight);
    if (tensor == nullptr) return;
    tensor->need = Need::kUnlessOther;
    tensor->other = other;
  }
  // One matrix an expert: of their own in safetensors, stacked in a GGUF.
  void Experts(Role role, std::int64_t experts, std::int64_t out, std::int64_t in) {
    if (scheme_ == NameScheme::kGguf) {
      Add(role, {experts, out, in}, Storage::kWeight);
    } else {
      Add(role, {out, in}, Storage::kWeight)->instances = experts;
    }
  }
  // What a header of this container cannot announce.
  bool gguf() const { return scheme_ == NameScheme::kGguf; }
  const ModelSpec& spec() const { return spec_; }
  std::vector<ExpectedTensor> Take() && { return std::move(tensors_); }

 private:
  const ModelSpec& spec_;
  NameScheme scheme_;
  Place place_;
  std::vector<ExpectedTensor> tensors_;
};

// A bias that config.json announces; a llama GGUF does not say whether it has any.
void PlanBias(PlanBuilder* b, Role role, bool announced, std::int64_t width);
void PlanAttention(PlanBuilder* b, const LayerSpec& layer, int index);  // plan_attention.cc
// Norms, attention, feed-forward, mixing: everything of one layer (tensor_plan.cc).
void PlanBlock(PlanBuilder* b, const LayerSpec& layer, int index, const MixtureSpec& mixture);
void PlanDraft(PlanBuilder* b, std::int64_t index);  // plan_draft.cc

}  // namespace hadal
