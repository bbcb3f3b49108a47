#include "eval/drafted_work.h"

#include <stdlib.h>

#include <filesystem>
#include <system_error>

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
  void Resume(std::int64_t cached, std::int64_t) override { cached_ = cached; }
  std::int64_t cached() const { return cached_; }
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
  std::int64_t cached_ = 0;
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

namespace {

// A folder that is gone with the object.
class TemporaryFolder {
 public:
  static Result<std::unique_ptr<TemporaryFolder>> Make() {
    std::error_code failure;
    std::string path =
        (std::filesystem::temp_directory_path(failure) / "hadal-check-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr)
      return Failed("temporary folder", path, "a place to write", "set TMPDIR to one");
    return std::unique_ptr<TemporaryFolder>(new TemporaryFolder(std::move(path)));
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<std::unique_ptr<StepLoop>> MakeKeepingLoop(Model& model, const std::string& folder) {
  StepLoopOptions settings;
  settings.prefixes.memory_bytes = 1ull << 30;
  if (!folder.empty()) {
    PrefixDiskOptions disk;
    disk.folder = folder;
    disk.fingerprint = "check";
    disk.quota_bytes = 1ull << 30;
    HADAL_ASSIGN_OR_RETURN(settings.prefixes.disk, PrefixDisk::Open(std::move(disk)));
  }
  return std::make_unique<StepLoop>(std::shared_ptr<Model>(&model, [](Model*) {}), settings);
}

Result<std::shared_ptr<Recorder>> Ask(StepLoop& loop, const std::vector<std::int32_t>& prompt,
                                      const SamplingOptions& options, int steps) {
  const auto task = std::make_shared<Recorder>(options, prompt, steps);
  StepLoop::Request request;
  request.prompt = prompt;
  request.max_tokens = steps + 1;
  request.task = task;
  HADAL_RETURN_IF_ERROR(loop.Submit(std::move(request)));
  return task;
}

}  // namespace

Result<Continuation> ContinueKnown(Model& model, const std::vector<std::int32_t>& prompt,
                                   KnownIn where, float temperature, std::uint64_t seed,
                                   int steps) {
  constexpr std::size_t kReused = 300;
  SamplingOptions options;
  options.temperature = temperature;
  options.seed = seed;
  std::unique_ptr<TemporaryFolder> folder;
  if (where == KnownIn::kFiles) {
    HADAL_ASSIGN_OR_RETURN(folder, TemporaryFolder::Make());
  }
  const std::string path = folder == nullptr ? "" : folder->path();
  HADAL_ASSIGN_OR_RETURN(std::unique_ptr<StepLoop> loop, MakeKeepingLoop(model, path));
  // Two others share two thirds of the prompt: where windows forget, the second one leaves a
  // snapshot at the place where they parted.
  for (std::int32_t other = 1; other <= 2; ++other) {
    std::vector<std::int32_t> ids = prompt;
    for (std::size_t i = ids.size() * 2 / 3; i < ids.size(); ++i)
      ids[i] = static_cast<std::int32_t>((ids[i] + other) % model.spec().vocabulary);
    HADAL_ASSIGN_OR_RETURN(const auto taught, Ask(*loop, ids, options, 2));
    HADAL_RETURN_IF_ERROR(taught->Wait().status());
  }
  if (folder != nullptr) {
    loop.reset();  // the files are written
    HADAL_ASSIGN_OR_RETURN(loop, MakeKeepingLoop(model, path));
  }
  HADAL_ASSIGN_OR_RETURN(const auto task, Ask(*loop, prompt, options, steps));
  HADAL_ASSIGN_OR_RETURN(Continuation found, task->Wait());
  if (prompt.size() >= kReused && task->cached() == 0)
    return Failed("prefix cache", "nothing of the prompt", "a part of it",
                  "this is a fault of ours: please report it");
  return found;
}

}  // namespace hadal
