// Model: a loaded checkpoint that runs steps. Immutable but for its scratch memory and page pool;
// steps of one model are run by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/status.h"
#include "model/batch.h"
#include "ops/ops.h"

namespace hadal {

class DraftLayers;  // model/draft_layers.h
struct ModelSpec;   // spec/model_spec.h
class WeightStore;  // store/weight_store.h

// Whether a checkpoint's draft layers are bound and have their part of the cache.
enum class DraftUse : std::uint8_t {
  kNone = 0,
  kIfAble = 1,    // where there are such layers and this version runs them
  kRequired = 2,  // fails where not
};

struct ModelOptions {
  std::uint64_t cache_budget_bytes = 0;  // 0 = no bound of our own
  std::int64_t step_tokens = 512;        // most rows of one step; scratch memory is sized by it
  DraftUse draft = DraftUse::kNone;
};

// What a model holds, for `inspect` and for the comparison with what is measured.
struct ModelMemory {
  std::uint64_t mapped_bytes = 0;   // files
  std::uint64_t derived_bytes = 0;  // made at load
  std::uint64_t scratch_bytes = 0;  // activations of the largest step
  std::uint64_t cache_bytes = 0;    // pages allocated so far
};

class Model {
 public:
  // Binds the blocks of the store's model. `ops` computes every layer and is owned from here on.
  static Result<std::unique_ptr<Model>> Create(std::unique_ptr<WeightStore> store,
                                               std::unique_ptr<Ops> ops,
                                               const ModelOptions& options);
  virtual ~Model() = default;

  virtual const ModelSpec& spec() const = 0;
  virtual const ModelOptions& options() const = 0;
  virtual Ops& ops() = 0;  // level, profile, bytes read
  virtual ModelMemory memory() const = 0;
  virtual const CacheLayout& cache_layout() const = 0;
  virtual CacheCost cache_cost() const = 0;
  // The coarsest form that `fast` gives to activations in any layer.
  virtual ActivationForm coarsest_activation() const = 0;

  // Compressed ids by token, where the model has Engram tables (V4.1).
  virtual std::span<const std::int32_t> token_map() const { return {}; }

  virtual std::unique_ptr<SequenceCache> NewSequence() = 0;
  // Where the pages of its sequences are.
  virtual PagePool& pages() = 0;
  // Creation begins to enter what memory holds of the files into the page tables, beside the first
  // steps; this returns when that is done, for whoever measures steps alone.
  virtual void WaitUntilMapped() {}
  // Null where they were not asked for, or are not there.
  virtual DraftLayers* draft_layers() { return nullptr; }

  // Runs the batch (at most step_tokens rows) and advances its sequences. On failure (NoRoom for
  // pages, a token id outside the vocabulary) every sequence is as it was.
  // `logits` receives one row of vocabulary f32 values per wanted row, in the order of the rows; it
  // points into the model and is valid until the next step.
  virtual Status Step(const Batch& batch, std::span<const float>* logits,
                      StepObserver* observer = nullptr) = 0;
};

}  // namespace hadal
