// The decoder: embedding, layers, final norm, head.
#include <algorithm>

#include "model/angles.h"
#include "model/build_layer.h"
#include "model/drafter.h"
#include "model/memory.h"
#include "model/model.h"
#include "model/output_head.h"

namespace hadal {
namespace {

class Transformer : public Model {
 public:
  Transformer(std::unique_ptr<WeightStore> store, std::unique_ptr<Ops> ops,
              const ModelOptions& options, std::shared_ptr<const CacheLayout> layout,
              Scratch scratch)
      : ops_(std::move(ops)),
        store_(std::move(store)),
        options_(options),
        layout_(std::move(layout)),
        scratch_(std::move(scratch)),
        pool_(ops_.get(), options.cache_budget_bytes) {}

  void MapFilesAhead() { store_->MapFilesAhead(); }
  void WaitUntilMapped() override { store_->WaitUntilMapped(); }

  Status Bind() {
    HADAL_ASSIGN_OR_RETURN(layers_, BuildLayers(*store_));
    HADAL_ASSIGN_OR_RETURN(embedding_, store_->Matrix(Role::kEmbedding));
    HADAL_ASSIGN_OR_RETURN(head_, OutputHead::Build(*store_));
    if (options_.draft == DraftUse::kNone) return {};
    HADAL_ASSIGN_OR_RETURN(draft_,
                           MakeDrafter(*store_, ops_.get(), &scratch_, options_.step_tokens));
    return {};
  }

  const ModelSpec& spec() const override { return store_->spec(); }
  const ModelOptions& options() const override { return options_; }
  Ops& ops() override { return *ops_; }
  CacheCost cache_cost() const override { return CostOf(*layout_, options_.step_tokens); }
  const CacheLayout& cache_layout() const override { return *layout_; }
  ActivationForm coarsest_activation() const override { return store_->coarsest_activation(); }
  std::span<const std::int32_t> token_map() const override { return store_->token_map(); }
  ModelMemory memory() const override {
    return {store_->mapped_bytes(), store_->derived_bytes(), scratch_.bytes(),
            pool_.allocated_bytes()};
  }
  std::unique_ptr<SequenceCache> NewSequence() override {
    return std::make_unique<SequenceCache>(&pool_, layout_);
  }

  PagePool& pages() override { return pool_; }

  DraftLayers* draft_layers() override { return draft_.get(); }

  Status Step(const Batch& batch, std::span<const float>* logits, StepObserver* observer) override {
    StepState step;
    step.ops = ops_.get();
    step.scratch = &scratch_;
    step.observer = observer;
    HADAL_RETURN_IF_ERROR(Plan(batch, &step));
    const Scratch::Scope scope(&scratch_);
    Embed(batch, &step);
    if (draft_ != nullptr) draft_->Begin(&step);
    for (step.layer = 0; step.layer < static_cast<int>(layers_.size()); ++step.layer) {
      Observe(step);
      layers_[static_cast<std::size_t>(step.layer)]->Run(step);
    }
    Observe(step);
    if (draft_ != nullptr) draft_->End(step);
    *logits = Logits(batch, step);
    for (const Segment& segment : batch.segments) segment.sequence->Advance(segment.tokens);
    return {};
  }

 private:
  // Places the rows and reserves their cache pages. Nothing has changed where it fails.
  Status Plan(const Batch& batch, StepState* step) {
    for (const Segment& segment : batch.segments) {
      const auto count = static_cast<std::int64_t>(segment.tokens.size());
      HADAL_CHECK(count > 0 && segment.wanted.size() == segment.tokens.size(),
                  "a segment without tokens, or with other wishes than tokens");
      step->segments.push_back({segment.sequence, step->rows, count, segment.sequence->length()});
      step->rows += count;
      for (const std::int32_t id : segment.tokens)
        if (id < 0 || id >= spec().vocabulary)
          return UsageError("token id", std::to_string(id),
                            "an id below the vocabulary of " + std::to_string(spec().vocabulary),
                            "were the ids made with another model's tokenizer?");
    }
    HADAL_CHECK(step->rows > 0 && step->rows <= options_.step_tokens,
                "a step of no rows or of more than its model was made for");
    for (const Segment& segment : batch.segments)
      HADAL_RETURN_IF_ERROR(
          segment.sequence->Reserve(static_cast<std::int64_t>(segment.tokens.size())));
    return {};
  }

  // The residual stream, or each of several, starts as the token embeddings; angles are made once
  // for all layers.
  void Embed(const Batch& batch, StepState* step) {
    for (const Segment& segment : batch.segments)
      step->ids.insert(step->ids.end(), segment.tokens.begin(), segment.tokens.end());
    MakeAngles(spec(), step);
    const std::int64_t streams = spec().hyper.streams;
    step->residual = scratch_.Take(step->rows, std::max<std::int64_t>(1, streams) * spec().hidden);
    if (streams == 0) {
      ops_->Run(GatherRows{&embedding_, step->ids, step->residual});
      return;
    }
    if (spec().generation == Generation::kDeepSeekV41) TakeCarried(step);
    const Scratch::Scope scope(&scratch_);
    const View rows = scratch_.Take(step->rows, spec().hidden);
    ops_->Run(GatherRows{&embedding_, step->ids, rows});
    ops_->Run(Replicate{rows, step->residual});
  }

  // What V4.1's layers leave for later ones.
  void TakeCarried(StepState* step) {
    const AttentionSpec& attention = spec().attention;
    StartCollapse(step, spec().hyper.streams);
    step->choice = scratch_.Take(step->rows, attention.index_top_k, DType::kI32);
    if (attention.candidate_source >= 0)
      step->candidates = scratch_.Take(step->rows, attention.candidate_blocks, DType::kI32);
  }

  void Observe(const StepState& step) {
    if (step.observer == nullptr) return;
    const auto pass = [&](const View& rows, auto observer) {
      const auto values = static_cast<std::size_t>(step.rows * rows.columns());
      const auto* now = static_cast<const float*>(ops_->Fetch(rows));
      observed_.assign(now, now + values);
      observer(rows.columns());
      ops_->Put(rows, observed_.data(), values * sizeof(float));
    };
    if (!step.pre.empty())
      pass(step.pre, [&](std::int64_t streams) {
        step.observer->Collapse(step.layer, step.rows, streams, observed_.data());
      });
    pass(step.residual, [&](std::int64_t width) {
      step.observer->Residual(step.layer, step.rows, width, observed_.data());
    });
  }

  // The head, on the rows whose logits are wanted.
  std::span<const float> Logits(const Batch& batch, StepState& step) {
    std::vector<std::int32_t> wanted;
    std::int32_t row = 0;
    for (const Segment& segment : batch.segments)
      for (const Wanted want : segment.wanted) {
        if (want == Wanted::kLogits) wanted.push_back(row);
        ++row;
      }
    if (wanted.empty()) return {};
    const auto count = static_cast<std::int64_t>(wanted.size());
    logits_.resize(static_cast<std::size_t>(count * spec().vocabulary));
    head_.Run(step, wanted, HostView(logits_.data(), DType::kF32, {count, spec().vocabulary}));
    return logits_;
  }

  std::unique_ptr<Ops> ops_;  // first: everything below lives in its memory
  std::unique_ptr<WeightStore> store_;
  ModelOptions options_;
  std::shared_ptr<const CacheLayout> layout_;
  Scratch scratch_;
  PagePool pool_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::unique_ptr<Drafter> draft_;
  Linear embedding_;
  OutputHead head_;
  std::vector<float> logits_;    // [wanted rows, vocabulary]
  std::vector<float> observed_;  // a residual stream on its way through an observer
};

}  // namespace

Result<std::unique_ptr<Model>> Model::Create(std::unique_ptr<WeightStore> store,
                                             std::unique_ptr<Ops> ops, const ModelOptions& wanted) {
  const ModelSpec& spec = store->spec();
  ModelOptions options = wanted;
  if (options.draft != DraftUse::kNone) {
    const Status able = CheckDrafter(*store);
    if (!able.ok() && options.draft == DraftUse::kRequired) return able;
    if (!able.ok()) options.draft = DraftUse::kNone;
  }
  const bool draft = options.draft != DraftUse::kNone;
  auto layout = std::make_shared<const CacheLayout>(
      MakeCacheLayout(spec, ops->profile(), draft ? options.step_tokens : 0));
  std::uint64_t scratch_bytes = StepScratchBytes(spec, options.step_tokens);
  if (draft) scratch_bytes = DraftingScratchBytes(spec, options.step_tokens, scratch_bytes);
  HADAL_ASSIGN_OR_RETURN(Scratch scratch, Scratch::Create(ops.get(), scratch_bytes));
  auto model = std::make_unique<Transformer>(std::move(store), std::move(ops), options,
                                             std::move(layout), std::move(scratch));
  HADAL_RETURN_IF_ERROR(model->Bind());
  model->MapFilesAhead();
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace hadal
