// From files to a model that runs.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "formats/checkpoint.h"
#include "hadal/sampling.h"
#include "model/model.h"
#include "numeric/profile.h"
#include "spec/model_spec.h"
#include "text/tokenizer.h"

namespace hadal {

// The profile of that name (numeric/profile.h); kUsage for another word.
Result<Profile> ProfileNamed(const std::string& name);

// The model that a checkpoint describes. Weights are not looked at.
Result<ModelSpec> ReadSpec(const Checkpoint& checkpoint);

struct LoadOptions {
  Profile profile = Profile::kFast;
  std::string isa;  // empty: the best level
  int threads = 0;  // 0: every usable core
  ModelOptions model;
  // The checkpoint's, where the caller has read it already; else it is read where the model needs
  // it (Engram tables).
  std::shared_ptr<const Tokenizer> tokenizer = nullptr;
};

// Binds the weights to where they lie mapped; nothing is read ahead.
Result<std::unique_ptr<Model>> LoadModel(std::shared_ptr<const Checkpoint> checkpoint,
                                         const LoadOptions& options);

// The same on operations that the caller has made: options.profile, isa and threads do not count.
Result<std::unique_ptr<Model>> LoadModel(std::shared_ptr<const Checkpoint> checkpoint,
                                         std::unique_ptr<Ops> ops, const LoadOptions& options);

// What the checkpoint's generation_config recommends; 0.6 and top-p 0.95 where it has none.
SamplingOptions RecommendedSampling(const Checkpoint& checkpoint);

}  // namespace hadal
