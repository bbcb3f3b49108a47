#include "eval/drafted_work.h"

#include "engine/channel.h"
#include "engine/model_draft.h"
#include "engine/ngram_draft.h"
#include "engine/replay_draft.h"
#include "engine/step_loop.h"
#include "engine/wrong_draft.h"
#include "sample/sampler.h"
#include "spec/model_spec.h"

namespace hadal {
namespace {

constexpr std::int64_t kDraftTokens = 4;

// Samples `steps` tokens and sees the logits of one more.
class Recorder : public StepTask {
 public:
  Recorder(const SamplingOptions& options, std::span<const std::int32_t> prompt, int steps)
      : sampler_(options, prompt), steps_(static_cast<std::size_t>(steps)) {}

  Result<Continuation> Wait() {
    HADAL_RETURN_IF_ERROR(end_.Pop());
    return std::move(found_);
  }

  bool cancelled() const override { return false; }
  void Progress(std::int64_t, std::int64_t) override {}
  Result<Choice> Choose(std::span<const float> logits, std::int64_t position) override {
    std::string& to = seen_++ == 0 ? found_.first_logits : found_.record;
    to.append(reinterpret_cast<const char*>(logits.data()), logits.size_bytes());
    if (found_.ids.size() == steps_) return Choice{0, true};
    HADAL_ASSIGN_OR_RETURN(const SampledToken sampled, sampler_.Next(logits, position));
    found_.record.append(reinterpret_cast<const char*>(&sampled.token), sizeof(sampled.token));
    found_.ids.push_back(sampled.token);
    return Choice{sampled.token, false};
  }
  void End(const Status& status) override { end_.Push(status); }

 private:
  Sampler sampler_;
  std::size_t steps_, seen_ = 0;
  Continuation found_;
  Channel<Status> end_;
};

std::unique_ptr<Draft> MakeDraft(DraftKind kind, Model& model, std::vector<std::int32_t> timeline) {
  if (kind == DraftKind::kNone) return nullptr;
  if (kind == DraftKind::kModel) return std::make_unique<ModelDraft>(model.draft_layers());
  if (kind == DraftKind::kNgram) return std::make_unique<NgramDraft>();
  std::vector<std::vector<std::int32_t>> timelines;
  timelines.push_back(std::move(timeline));
  auto replay = std::make_unique<ReplayDraft>(std::move(timelines));
  if (kind == DraftKind::kReplay) return replay;
  return std::make_unique<WrongDraft>(std::move(replay), model.spec().vocabulary);
}

}  // namespace

Result<Continuation> ContinueDrafted(Model& model, const std::vector<std::int32_t>& prompt,
                                     DraftKind kind, const std::vector<std::int32_t>& known,
                                     float temperature, std::uint64_t seed, int steps) {
  SamplingOptions options;
  options.temperature = temperature;
  options.seed = seed;
  std::vector<std::int32_t> timeline = prompt;
  timeline.insert(timeline.end(), known.begin(), known.end());
  const std::shared_ptr<Model> borrowed(&model, [](Model*) {});
  StepLoopOptions settings;
  settings.draft_tokens = kDraftTokens;
  StepLoop loop(borrowed, settings, MakeDraft(kind, model, std::move(timeline)));
  const auto task = std::make_shared<Recorder>(options, prompt, steps);
  HADAL_RETURN_IF_ERROR(loop.Submit({loop.NewSequence(), prompt, steps + 1, task}));
  return task->Wait();
}

}  // namespace hadal
