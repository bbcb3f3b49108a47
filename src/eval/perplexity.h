// `hadal perplexity`: how well a model predicts a text, in windows without overlap, and how far two
// profiles are apart on it (docs/cli.md).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "eval/model_run.h"

namespace hadal {

enum class Score : std::uint8_t {
  kHalf,  // the later half of a window: positions w/2 .. w-2 predict the next token (llama.cpp's
          // way)
  kAll,   // every position but the last
};

struct PerplexityOptions {
  Profile profile = Profile::kFast;
  std::int64_t window_tokens = 512;
  std::int64_t windows = 0;  // 0: as many as the text fills
  Score score = Score::kHalf;
  std::optional<Profile> against;  // also compare distributions with this profile's
  std::int32_t begin_token = -1;   // replaces the first token of a window; -1: none
  // Told after each window: done, of how many.
  std::function<void(std::int64_t done, std::int64_t all)> progress;
};

struct PerplexityReport {
  std::int64_t tokens = 0;  // predicted
  std::int64_t windows = 0;
  double mean_nll = 0;  // nats a token
  double perplexity = 0;
  std::optional<double> mean_kl, top1_agreement;  // KL(against || profile)

  std::string ToJson() const;
  std::string ToText() const;
};

// `ids` is the whole text, tokenised once. Fails with kUsage where it does not fill one window.
Result<PerplexityReport> Perplexity(const ModelFactory& open, std::span<const std::int32_t> ids,
                                    const PerplexityOptions& options);

}  // namespace hadal
