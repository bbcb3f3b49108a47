#include "engine/load.h"

#include "base/process_memory.h"
#include "engine/language.h"
#include "kernels/cpu_ops.h"
#include "model/drafter.h"
#include "model/memory.h"
#include "sample/sampler.h"
#include "store/weight_store.h"
#include "text/engram_token_map.h"

namespace hadal {

Result<Profile> ProfileNamed(const std::string& name) {
  for (const Profile profile : {Profile::kFloat, Profile::kReference, Profile::kFast})
    if (name == Name(profile)) return profile;
  return UsageError("profile", name, "float, reference or fast", "choose one of these");
}

Result<ModelSpec> ReadSpec(const Checkpoint& checkpoint) {
  auto spec =
      ParseModelSpec(checkpoint.config(), checkpoint.container(), &checkpoint.generation_config());
  if (!spec.ok()) return spec.status().At(checkpoint.path());
  return spec;
}

namespace {

// What is certain to be needed, said before any of it is taken: memory that is promised and never
// there ends the process later.
Status CheckRoom(const ModelSpec& spec, const ModelOptions& options) {
  const std::uint64_t available = AvailableMemoryBytes();
  std::uint64_t needed = StepScratchBytes(spec, options.step_tokens);
  if (options.draft == DraftUse::kRequired && spec.draft.layers > 0)
    needed = DraftingScratchBytes(spec, options.step_tokens, needed);
  if (available == 0 || needed <= available) return {};
  return NoRoom(
      "activations", std::to_string(available) + " bytes of memory that are free",
      std::to_string(needed) + " for a step of " + std::to_string(options.step_tokens) + " tokens",
      "close other programs, or ask for smaller steps");
}

}  // namespace

Result<std::unique_ptr<Model>> LoadModel(std::shared_ptr<const Checkpoint> checkpoint,
                                         const LoadOptions& options) {
  CpuOpsOptions cpu;
  cpu.profile = options.profile;
  cpu.isa = options.isa;
  cpu.threads = options.threads;
  HADAL_ASSIGN_OR_RETURN(std::unique_ptr<Ops> ops, MakeCpuOps(cpu));
  return LoadModel(std::move(checkpoint), std::move(ops), options);
}

Result<std::unique_ptr<Model>> LoadModel(std::shared_ptr<const Checkpoint> checkpoint,
                                         std::unique_ptr<Ops> ops, const LoadOptions& options) {
  HADAL_ASSIGN_OR_RETURN(const ModelSpec spec, ReadSpec(*checkpoint));
  HADAL_RETURN_IF_ERROR(CheckRoom(spec, options.model));
  HADAL_ASSIGN_OR_RETURN(auto store, WeightStore::Open(checkpoint, spec, ops.get()));
  if (!spec.engram.layers.empty()) {
    auto tokenizer = options.tokenizer;
    if (tokenizer == nullptr) {
      HADAL_ASSIGN_OR_RETURN(tokenizer, TokenizerOf(*checkpoint));
    }
    auto map = MakeEngramTokenMap(*tokenizer, spec.engram.compressed_vocabulary);
    if (!map.ok()) return map.status().At(checkpoint->path());
    store->SetTokenMap(*std::move(map));
  }
  return Model::Create(std::move(store), std::move(ops), options.model);
}

SamplingOptions RecommendedSampling(const Checkpoint& checkpoint) {
  SamplingOptions read;
  read.temperature = 0.6f;  // what DeepSeek-R1 recommends, for checkpoints that say nothing
  read.top_p = 0.95f;
  const SamplingOptions usual = read;
  const Metadata& config = checkpoint.generation_config();
  const auto number = [&config](const char* key, float* to) {
    const Metadata* value = config.FindNonNull(key);
    if (value != nullptr && value->is_number()) *to = static_cast<float>(*value->real());
  };
  number("temperature", &read.temperature);
  number("top_p", &read.top_p);
  number("repetition_penalty", &read.repetition_penalty);
  // A file with values that make no sense recommends nothing.
  return CheckSampling(read, 0).ok() ? read : usual;
}

}  // namespace hadal
