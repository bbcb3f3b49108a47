// The options of `hadal run`, and what they come to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hadal/engine.h"
#include "options.h"

namespace hadal {

struct RunOptions {
  EngineOptions engine{.draft = "ngram"};  // of one timeline at a time it costs next to nothing
  std::optional<std::string> prompt, file, ids;
  std::string system, think = "default", effort, format, experts = "fixed";
  bool raw = false, json = false, ignore_end = false, verify = false;
  std::optional<std::int64_t> max_tokens, top_k, log_probabilities;
  std::optional<float> temperature, top_p, min_p, repetition_penalty, presence_penalty,
      frequency_penalty;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> stops, biases;
};

void Describe(Options* command, RunOptions* options);

// Refuses combinations that make no sense, and what this version does not do.
Status Check(const RunOptions& options);

// The request but for its prompt: `recommended` with what was given put in its place.
Result<GenerateRequest> RequestOf(const RunOptions& options, const SamplingOptions& recommended);

ThinkMode ThinkModeOf(const std::string& name);

// "1,2,3"
Result<std::vector<std::int32_t>> ParseIds(const std::string& text);

}  // namespace hadal
