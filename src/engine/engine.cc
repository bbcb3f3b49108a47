#include "hadal/engine.h"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "engine/engine_impl.h"
#include "engine/fingerprint.h"
#include "engine/load.h"
#include "engine/model_draft.h"
#include "engine/model_folder.h"
#include "engine/ngram_draft.h"
#include "engine/prompt.h"

namespace hadal {

std::shared_ptr<Engine> MakeEngine(std::unique_ptr<Model> model, Language language, EngineInfo info,
                                   const StepLoopOptions& options, std::unique_ptr<Draft> draft) {
  auto impl = std::make_unique<Engine::Impl>();
  info.vocabulary = model->spec().vocabulary;
  if (info.context_tokens == 0) info.context_tokens = model->spec().context;
  const CacheCost cost = model->cache_cost();
  info.cache_bytes_per_token = static_cast<std::uint64_t>(std::ceil(cost.bytes_per_token()));
  info.cache_bytes_per_session = cost.sequence_bytes;
  info.has_tokenizer = language.tokenizer != nullptr;
  info.prompt_format = language.format != nullptr ? std::string(language.format->name) : "";
  impl->language = std::move(language);
  impl->loop = std::make_unique<StepLoop>(std::move(model), options, std::move(draft));
  info.context_tokens = std::min(info.context_tokens, impl->loop->most_tokens());
  impl->info = std::move(info);
  return std::make_shared<Engine>(std::move(impl));
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;
const EngineInfo& Engine::info() const { return impl_->info; }

namespace {

// What a disk may be made to write: a long day of the first is 1.4 TB.
constexpr std::uint64_t kWriteBytesPerSecond = 16u << 20;
constexpr std::uint64_t kWriteBurstBytes = 1u << 30;

Result<PrefixOptions> OpenPrefixes(const EngineOptions& options, const Checkpoint& checkpoint,
                                   std::int64_t tied_tokens) {
  PrefixOptions prefixes;
  prefixes.memory_bytes = options.prefix_cache_bytes;
  if (options.prefix_disk_folder.empty()) return prefixes;
  if (options.prefix_cache_bytes == 0)
    return UsageError("prefix_disk_folder", "a folder without a cache in memory",
                      "prefix_cache_bytes above 0", "prefixes pass through memory on their way");
  PrefixDiskOptions disk;
  disk.folder = options.prefix_disk_folder;
  HADAL_ASSIGN_OR_RETURN(disk.fingerprint,
                         CacheFingerprint(checkpoint, options.profile, options.draft == "model"));
  disk.quota_bytes = prefixes.disk_bytes = options.prefix_disk_bytes;
  disk.write_bytes_per_second = kWriteBytesPerSecond;
  disk.write_burst_bytes = kWriteBurstBytes;
  disk.tied_tokens = tied_tokens;
  HADAL_ASSIGN_OR_RETURN(prefixes.disk, PrefixDisk::Open(std::move(disk)));
  return prefixes;
}

}  // namespace

Result<std::shared_ptr<Engine>> Engine::Open(const EngineOptions& options) {
  EngineInfo info;
  LoadOptions load;
  HADAL_ASSIGN_OR_RETURN(load.profile, ProfileNamed(options.profile));
  if (options.step_tokens < 1 || options.step_tokens > 1 << 16)
    return UsageError("step_tokens", std::to_string(options.step_tokens), "1 to 65536",
                      "fewer take less memory, more read prompts faster");
  if (options.context_tokens < 0)
    return UsageError("context", std::to_string(options.context_tokens), "a count of tokens",
                      "leave it out for the model's own");
  if (options.draft != "none" && options.draft != "ngram" && options.draft != "model")
    return UsageError("draft", options.draft, "none, ngram or model",
                      "none is what every model can do; the tokens are the same");
  if (options.draft_tokens < 1 || options.draft_tokens > kMostDraftTokens)
    return UsageError("draft_tokens", std::to_string(options.draft_tokens),
                      "1 to " + std::to_string(kMostDraftTokens),
                      "4 suits most; leave it out for that");
  if (options.draft == "model") load.model.draft = DraftUse::kRequired;
  load.isa = options.isa;
  load.threads = options.threads > 0 ? options.threads : UsableCores();
  load.model.cache_budget_bytes = options.cache_budget_bytes;
  load.model.step_tokens = options.step_tokens;

  HADAL_ASSIGN_OR_RETURN(info.path, FindModel(options.model));
  HADAL_ASSIGN_OR_RETURN(const auto checkpoint, Checkpoint::Open(info.path));
  HADAL_ASSIGN_OR_RETURN(const ModelSpec spec, ReadSpec(*checkpoint));
  if (options.context_tokens > spec.context)
    return UsageError("context", std::to_string(options.context_tokens) + " tokens",
                      "at most " + std::to_string(spec.context) + ", which the model promises",
                      "ask for a shorter context (--ctx)");
  HADAL_ASSIGN_OR_RETURN(Language language, LoadLanguage(*checkpoint, spec, options.prompt_format));
  load.tokenizer = language.tokenizer;
  HADAL_ASSIGN_OR_RETURN(std::unique_ptr<Model> model, LoadModel(checkpoint, load));
  info.architecture = spec.architecture;
  info.profile = options.profile;
  info.isa = model->ops().level();
  info.threads = load.threads;
  info.context_tokens = options.context_tokens;
  info.recommended = RecommendedSampling(*checkpoint);
  info.draft = options.draft;
  std::unique_ptr<Draft> draft;
  if (options.draft == "ngram") draft = std::make_unique<NgramDraft>();
  if (options.draft == "model") draft = std::make_unique<ModelDraft>(model->draft_layers());
  StepLoopOptions loop;
  loop.draft_tokens = options.draft_tokens;
  loop.queue = {options.queue_requests, options.queue_tokens};
  HADAL_ASSIGN_OR_RETURN(
      loop.prefixes,
      OpenPrefixes(options, *checkpoint, draft == nullptr ? 0 : draft->rows_tied_to_next()));
  return MakeEngine(std::move(model), std::move(language), std::move(info), loop, std::move(draft));
}

EngineCounters Engine::counters() const { return impl_->loop->counters(); }
void Engine::CountExperts(bool on) { impl_->loop->CountExperts(on); }

Result<std::vector<std::int32_t>> Engine::Tokenize(const GenerateRequest& request) const {
  HADAL_ASSIGN_OR_RETURN(PreparedPrompt prompt,
                         PreparePrompt(request, impl_->language, impl_->info.vocabulary));
  return std::move(prompt.ids);
}

Result<std::string> Engine::Detokenize(const std::vector<std::int32_t>& ids) const {
  if (impl_->language.tokenizer == nullptr) return impl_->language.no_tokenizer;
  return impl_->language.tokenizer->Decode(ids);
}

}  // namespace hadal
