#include "sample/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/random.h"
#include "sample/log_probability.h"
#include "sample/ranking.h"
#include "sample/weights.h"

namespace hadal {
namespace {

Status BadOption(const char* name, float value, const char* expected) {
  return UsageError(std::string("sampling option ") + name, fmt::format("{}", value), expected,
                    "correct the option, or leave it out");
}

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

void Mask(std::span<const std::uint64_t> mask, std::span<float> logits) {
  if (mask.empty()) return;
  for (std::size_t id = 0; id < logits.size(); ++id)
    if ((mask[id / 64] >> (id % 64) & 1) == 0) logits[id] = kImpossible;
}

Status Unsound(std::int64_t position) {
  return Failed(
      "nan_logits", "values that are not finite numbers at position " + std::to_string(position),
      "finite logits", "the weights are damaged, or this is a fault of ours: please report it");
}

}  // namespace

Status CheckSampling(const SamplingOptions& options, std::int64_t vocabulary) {
  const auto within = [](float value, float low, float high) {
    return value >= low && value <= high;  // false for NaN
  };
  constexpr float kMost = 1e6f;
  if (!within(options.temperature, 0.0f, kMost))
    return BadOption("temperature", options.temperature, "a number from 0 on");
  if (options.top_k < 0)
    return BadOption("top_k", static_cast<float>(options.top_k), "0 (all) or a count");
  if (!within(options.top_p, 0.0f, 1.0f))
    return BadOption("top_p", options.top_p, "a number from 0 to 1");
  if (!within(options.min_p, 0.0f, 1.0f))
    return BadOption("min_p", options.min_p, "a number from 0 to 1");
  if (!within(options.repetition_penalty, 1e-3f, 1e3f))
    return BadOption("repetition_penalty", options.repetition_penalty,
                     "a number above 0; 1 is none");
  if (!within(options.presence_penalty, -kMost, kMost))
    return BadOption("presence_penalty", options.presence_penalty, "a finite number");
  if (!within(options.frequency_penalty, -kMost, kMost))
    return BadOption("frequency_penalty", options.frequency_penalty, "a finite number");
  if (options.log_probabilities < -1)
    return BadOption("log_probabilities", static_cast<float>(options.log_probabilities),
                     "-1 (none) or a count");
  for (const auto& [id, bias] : options.logit_bias) {
    if (id < 0 || id >= vocabulary)
      return UsageError("sampling option logit_bias", "token id " + std::to_string(id),
                        "an id below " + std::to_string(vocabulary),
                        "was the id made with another model's tokenizer?");
    if (!within(bias, -kMost, kMost)) return BadOption("logit_bias", bias, "a finite number");
  }
  return {};
}

Sampler::Sampler(const SamplingOptions& options, std::span<const std::int32_t> prompt)
    : options_(options) {
  if (options_.repetition_penalty == 1.0f) return;
  for (const std::int32_t id : prompt) seen_[id].anywhere = true;
}

bool Sampler::adjusts() const {
  return !options_.logit_bias.empty() || options_.repetition_penalty != 1.0f ||
         options_.presence_penalty != 0.0f || options_.frequency_penalty != 0.0f;
}

void Sampler::Adjust(std::vector<float>* logits) const {
  for (const auto& [id, bias] : options_.logit_bias)
    (*logits)[static_cast<std::size_t>(id)] += bias;
  // Each token is treated alone, so the order of the map does not matter.
  for (const auto& [id, seen] : seen_) {
    if (static_cast<std::size_t>(id) >= logits->size()) continue;
    float& logit = (*logits)[static_cast<std::size_t>(id)];
    if (seen.anywhere && options_.repetition_penalty != 1.0f)
      logit =
          logit > 0.0f ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
    if (seen.answered > 0)
      logit -= options_.presence_penalty +
               options_.frequency_penalty * static_cast<float>(seen.answered);
  }
}

std::int32_t Sampler::Draw(std::span<const float> logits, float largest, std::int64_t position) {
  // Weights are probabilities times a common factor: the likeliest token has exactly 1.
  weights_.resize(logits.size());
  double total = WeighLogits(logits, largest, options_.temperature, weights_);
  Ranking ranking(weights_);
  std::size_t kept = ranking.size();
  if (options_.top_k > 0 && static_cast<std::size_t>(options_.top_k) < kept) {
    kept = static_cast<std::size_t>(options_.top_k);
    total = 0.0;  // from here on by rank
    for (std::size_t i = 0; i < kept; ++i) total += static_cast<double>(ranking.WeightAt(i));
  }
  if (options_.top_p < 1.0f || options_.min_p > 0.0f) {
    const double enough =
        options_.top_p < 1.0f ? static_cast<double>(options_.top_p) * total : total;
    double sum = static_cast<double>(ranking.WeightAt(0));
    std::size_t count = 1;  // the likeliest always stays
    while (count < kept && sum < enough && ranking.WeightAt(count) >= options_.min_p)
      sum += static_cast<double>(ranking.WeightAt(count++));
    kept = count;
    total = sum;
  }
  const double target =
      UniformAt(options_.seed, options_.choice, static_cast<std::uint64_t>(position)) * total;
  double sum = 0.0;
  std::size_t rank = 0;
  for (; rank + 1 < kept; ++rank) {
    sum += static_cast<double>(ranking.WeightAt(rank));
    if (sum > target) break;
    // Tokens of weight 0 are never drawn, even where rounding leaves the sum below the target.
    if (ranking.WeightAt(rank + 1) == 0.0f) break;
  }
  return ranking.At(rank);
}

void Sampler::Report(std::span<const float> logits, SampledToken* sampled) const {
  if (options_.log_probabilities < 0) return;
  const double log_sum = LogPartition(logits);
  const auto logit = static_cast<double>(logits[static_cast<std::size_t>(sampled->token)]);
  sampled->log_probability = static_cast<float>(logit - log_sum);
  sampled->top = TopLogProbabilities(logits, log_sum, options_.log_probabilities);
}

Result<SampledToken> Sampler::Given(std::span<const float> logits, std::int64_t position,
                                    std::int32_t token) const {
  if (!FindLargest(logits).sound) return Unsound(position);
  SampledToken sampled;
  sampled.token = token;
  Report(logits, &sampled);
  return sampled;
}

Result<std::int32_t> Sampler::Choose(std::span<const float> logits, std::int64_t position,
                                     TokenFilter* filter) {
  Largest largest = FindLargest(logits);
  if (!largest.sound) return Unsound(position);
  std::span<const float> row = logits;
  if (adjusts() || filter != nullptr) {
    adjusted_.assign(logits.begin(), logits.end());
    Adjust(&adjusted_);
    if (filter != nullptr) Mask(filter->mask(), adjusted_);
    row = adjusted_;
    largest = FindLargest(row);
  }
  while (largest.sound) {
    const std::int32_t token = options_.temperature == 0.0f
                                   ? static_cast<std::int32_t>(largest.index)
                                   : Draw(row, largest.value, position);
    if (filter == nullptr || filter->Admits(token)) return token;
    adjusted_[static_cast<std::size_t>(token)] = kImpossible;
    largest = FindLargest(row);
  }
  return Status(Code::kDeadEnd, "form", "no token that may be chosen", "at least one",
                "leave out biases that forbid what the form needs");
}

Result<SampledToken> Sampler::Next(std::span<const float> logits, std::int64_t position,
                                   TokenFilter* filter) {
  SampledToken sampled;
  HADAL_ASSIGN_OR_RETURN(sampled.token, Choose(logits, position, filter));
  Report(logits, &sampled);
  if (options_.repetition_penalty != 1.0f || options_.presence_penalty != 0.0f ||
      options_.frequency_penalty != 0.0f) {
    Seen& seen = seen_[sampled.token];
    seen.anywhere = true;
    ++seen.answered;
  }
  return sampled;
}

}  // namespace hadal
