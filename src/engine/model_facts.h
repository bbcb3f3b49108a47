// What a checkpoint says of itself and what it would take, from its headers alone: nothing is
// loaded, so that a server can list and plan the models that it might serve.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "engine/language.h"
#include "hadal/sampling.h"

namespace hadal {

struct ModelFacts {
  std::string architecture;
  std::int64_t parameters = 0;  // of the main model (spec/sizes.h)
  std::string quantization;  // the format of most of its weights: "Q4_1", "BF16"; "": none is known
  std::int64_t vocabulary = 0;
  std::int64_t context_tokens = 0;
  SamplingOptions recommended = {};  // EngineInfo
  std::uint64_t mapped_bytes = 0;    // its files
  std::uint64_t own_bytes = 0;       // made at load, and activations of the largest step
  std::uint64_t cache_bytes = 0;     // of one timeline of the whole context
};

struct FactsOptions {
  std::string profile = "fast";
  std::int64_t context_tokens = 0;  // 0, or more than the model's: the model's
  std::int64_t step_tokens = 512;
};

// `path` is one of FindModel's. Fails as opening it would where its headers are wrong.
Result<ModelFacts> ReadModelFacts(const std::string& path, const FactsOptions& options);

// The language of a model that is not loaded. Reads its tokenizer: tens of milliseconds.
Result<Language> ReadLanguage(const std::string& path, const std::string& format_name);

// "134.5M", "671.0B": as people say how large a model is.
std::string ParameterText(std::int64_t parameters);

}  // namespace hadal
