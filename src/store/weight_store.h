// WeightStore: binds the weights of a model to where they lie. Mapped weights are used in place;
// what is made at load (f32 copies of norms and biases) is owned and its bytes counted.
//
// Thread contract: binding is done by one thread; what was bound is immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/map_ahead.h"
#include "base/status.h"
#include "formats/checkpoint.h"
#include "ops/linear.h"
#include "ops/memory.h"
#include "spec/model_spec.h"
#include "spec/tensor_check.h"
#include "spec/tensor_plan.h"
#include "store/experts.h"

namespace hadal {

class WeightStore {
 public:
  // Checks every tensor of the plan against the headers; reads no weight. `memory` holds what is
  // derived and outlives the store.
  static Result<std::unique_ptr<WeightStore>> Open(std::shared_ptr<const Checkpoint> checkpoint,
                                                   const ModelSpec& spec, Memory* memory);
  ~WeightStore();
  WeightStore(const WeightStore&) = delete;
  WeightStore& operator=(const WeightStore&) = delete;

  const ModelSpec& spec() const { return spec_; }
  bool Has(Role role, int layer = -1) const;
  // All tensors of the draft layers are there.
  bool has_draft() const { return tensors_.draft_complete(); }

  // A matrix [out, in], in the form that it is stored in.
  Result<Linear> Matrix(Role role, int layer = -1);
  // The same with the bias of role `bias` where the model has one.
  Result<Linear> Matrix(Role role, Role bias, int layer);
  // Several matrices of one shape: experts, or heads. One tensor each, or one stacked [n, out, in].
  Result<std::vector<Linear>> Matrices(Role role, int layer);
  // A vector, or a small table, as f32: norms, biases.
  Result<View> Vector(Role role, int layer = -1);
  // The experts of each token in a hash layer: I64 or I32 [vocabulary, experts per token], as
  // mapped; every id is checked.
  Result<View> ExpertTable(int layer);
  // Compressed ids by token id, which Engram layers look their tables up by: made from the
  // tokenizer (text/engram_token_map.h) by whoever loads, before layers are built.
  void SetTokenMap(std::vector<std::int32_t> map);
  std::span<const std::int32_t> token_map() const { return token_map_; }
  // The same, where it covers the vocabulary.
  Result<std::span<const std::int32_t>> TokenMap() const;
  // The output head, which may be the token embedding.
  Result<Linear> Head();
  // The routed experts, all layers behind one object that the store owns; bound on first use.
  Result<Experts*> RoutedExperts();

  // Begins to map what memory holds of the files (base/map_ahead.h); ends with the store.
  void MapFilesAhead() { map_ahead_.emplace(checkpoint_->files()); }
  // Returns when that is done.
  void WaitUntilMapped() {
    if (map_ahead_) map_ahead_->Wait();
  }

  // The coarsest form that `fast` gives to activations in any layer that was bound.
  ActivationForm coarsest_activation() const { return coarsest_; }
  std::uint64_t mapped_bytes() const { return checkpoint_->mapped_bytes(); }
  std::uint64_t derived_bytes() const { return derived_bytes_; }

 private:
  WeightStore(std::shared_ptr<const Checkpoint> checkpoint, const ModelSpec& spec, Memory* memory);
  Result<const StoredTensor*> Find(Role role, int layer) const;
  View MappedView(const TensorInfo& tensor, std::int64_t rows) const;
  ReferenceRule RuleOf(const StoredTensor& tensor) const;
  Linear Bind(const StoredTensor& tensor) const;
  void Note(const StoredTensor& tensor, int layer);
  std::vector<float> Values(const StoredTensor& tensor) const;
  Status ApplyRopeDivisors();
  Result<View> Derive(const std::vector<float>& values);
  Result<std::vector<std::vector<ExpertWeights>>> BindExperts();

  std::shared_ptr<const Checkpoint> checkpoint_;
  ModelSpec spec_;
  TensorPlan plan_;
  CheckedTensors tensors_;
  Memory* memory_;
  std::vector<View> derived_;
  std::uint64_t derived_bytes_ = 0;
  std::vector<std::int32_t> token_map_;
  std::unique_ptr<Experts> experts_;
  ActivationForm coarsest_ = ActivationForm::kF32;
  std::optional<MapAhead> map_ahead_;
};

}  // namespace hadal
