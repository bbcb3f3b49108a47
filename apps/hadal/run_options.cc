#include "run_options.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/status.h"

namespace hadal {
namespace {

// What a text or id prompt continues to where -n is not given; it has no end of its own.
constexpr std::int64_t kRawTokens = 128;

template <typename T>
bool ParseWhole(std::string_view text, T* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

// "ID:VALUE"
Result<std::pair<std::int32_t, float>> ParseBias(const std::string& text) {
  const std::size_t colon = text.find(':');
  std::pair<std::int32_t, float> bias;
  if (colon == text.npos || !ParseWhole(std::string_view(text).substr(0, colon), &bias.first) ||
      !ParseWhole(std::string_view(text).substr(colon + 1), &bias.second))
    return UsageError("--logit-bias", text, "ID:VALUE, for example 42:-100",
                      "hadal tokenize shows ids");
  return bias;
}

}  // namespace

void Describe(Options* command, RunOptions* options) {
  command->Value("model", &options->engine.model, "the model; the default one if left out");
  command->Value("-p,--prompt", &options->prompt, "answer this and end");
  command->Value("-f,--file", &options->file, "answer the content of this file and end");
  command->Value("--ids", &options->ids, "continue these token ids (1,2,3)");
  command->Value(
      "-n,--tokens", &options->max_tokens,
      "most tokens to generate (default: until the model ends; 128 for --raw and --ids)");
  command->Value("--system", &options->system, "what the system message says");
  command->Choice("--think", &options->think, {"default", "off", "on", "max"},
                  "whether the model reasons before it answers");
  command->Value("--effort", &options->effort,
                 "how much a thinking model thinks, in its own words (low, high, max, 1 to 100)");
  command->Flag("--raw", &options->raw, "continue the text, without a chat template");
  command->Value("--template", &options->engine.prompt_format, "the prompt format, by name");
  command->Value("--temp", &options->temperature, "temperature; 0: always the likeliest token");
  command->Value("--top-k", &options->top_k, "choose among the K likeliest tokens");
  command->Value("--top-p", &options->top_p, "choose among the likeliest tokens of this mass");
  command->Value("--min-p", &options->min_p,
                 "choose among tokens at least this fraction as likely as the likeliest");
  command->Value("--repetition-penalty", &options->repetition_penalty, "1: none");
  command->Value("--presence-penalty", &options->presence_penalty, "0: none");
  command->Value("--frequency-penalty", &options->frequency_penalty, "0: none");
  command->Value("--logit-bias", &options->biases,
                 "ID:VALUE, added to a token's logit; repeatable");
  command->Value("--seed", &options->seed, "same seed, same tokens (default 0)");
  command->Value("--stop", &options->stops, "end the answer before this text; repeatable");
  command->Value("--format", &options->format,
                 "what the answer must be: json, or the file of a JSON Schema");
  command->Flag("--ignore-eos", &options->ignore_end, "go on where the model would end");
  command->Value("--logprobs", &options->log_probabilities,
                 "with --json: log-probabilities, and those of the N likeliest tokens");
  command->Value("--experts", &options->experts, "how many experts a token gets: fixed");
  command->Choice("--draft", &options->engine.draft, {"none", "ngram", "model"},
                  "guess tokens ahead, from the text itself or with the checkpoint's draft layers: "
                  "faster, and never another token");
  command->Value("--draft-tokens", &options->engine.draft_tokens, "most guesses of a step");
  command->Value("--ctx", &options->engine.context_tokens, "most tokens of prompt and answer");
  command->Value("--threads", &options->engine.threads, "default: every usable core");
  command->Flag("--verify", &options->verify,
                "compare the model's files with their recorded checksums first");
  command->Value("--isa", &options->engine.isa, "instruction set level (hadal machine lists them)");
  command->Choice("--profile", &options->engine.profile, {"float", "reference", "fast"},
                  "which numbers to compute with");
  command->Flag("--json", &options->json, "print one JSON object");
}

Status Check(const RunOptions& options) {
  if (options.prompt.has_value() + options.file.has_value() + options.ids.has_value() > 1)
    return UsageError("prompt", "several of -p, -f and --ids", "one of them",
                      "leave the others out");
  if ((options.raw || options.ids) && !options.system.empty())
    return UsageError("--system", "a prompt without a chat template", "a chat",
                      "leave out --raw and --ids");
  if ((options.raw || options.ids) && (options.think != "default" || !options.effort.empty()))
    return UsageError(options.effort.empty() ? "--think" : "--effort",
                      "a prompt without a chat template", "a chat", "leave out --raw and --ids");
  if (options.experts != "fixed")
    return UsageError("--experts", options.experts, "fixed",
                      "this version runs the number of experts that the model was trained with");
  if (options.log_probabilities && !options.json)
    return UsageError("--logprobs", "no --json", "--json, which prints them",
                      "add it, or leave --logprobs out");
  return {};
}

Result<GenerateRequest> RequestOf(const RunOptions& options, const SamplingOptions& recommended) {
  GenerateRequest request;
  SamplingOptions& sampling = request.sampling;
  sampling = recommended;
  if (options.temperature) sampling.temperature = *options.temperature;
  if (options.top_p) sampling.top_p = *options.top_p;
  if (options.min_p) sampling.min_p = *options.min_p;
  if (options.repetition_penalty) sampling.repetition_penalty = *options.repetition_penalty;
  if (options.presence_penalty) sampling.presence_penalty = *options.presence_penalty;
  if (options.frequency_penalty) sampling.frequency_penalty = *options.frequency_penalty;
  if (options.seed) sampling.seed = *options.seed;
  const auto narrow = [](std::int64_t value, const char* name, std::int32_t* to) -> Status {
    if (value < 0 || value > 1 << 24)
      return UsageError(name, std::to_string(value), "a count from 0 on",
                        "correct the option, or leave it out");
    *to = static_cast<std::int32_t>(value);
    return {};
  };
  if (options.top_k) HADAL_RETURN_IF_ERROR(narrow(*options.top_k, "--top-k", &sampling.top_k));
  if (options.log_probabilities)
    HADAL_RETURN_IF_ERROR(
        narrow(*options.log_probabilities, "--logprobs", &sampling.log_probabilities));
  for (const std::string& text : options.biases) {
    HADAL_ASSIGN_OR_RETURN(const auto bias, ParseBias(text));
    sampling.logit_bias.push_back(bias);
  }
  if (options.max_tokens && *options.max_tokens < 1)
    return UsageError("-n", std::to_string(*options.max_tokens), "a count from 1 on",
                      "leave the option out for the rest of the context");
  request.max_tokens = options.max_tokens.value_or(options.raw || options.ids ? kRawTokens : 0);
  if (options.format == "json") {
    request.form = AnswerForm::kJson;
  } else if (!options.format.empty()) {
    request.form = AnswerForm::kSchema;
    HADAL_ASSIGN_OR_RETURN(request.schema, ReadFile(options.format));
  }
  request.stops = options.stops;
  request.ignore_end = options.ignore_end;
  return request;
}

ThinkMode ThinkModeOf(const std::string& name) {
  if (name == "off") return ThinkMode::kOff;
  if (name == "on") return ThinkMode::kOn;
  return name == "max" ? ThinkMode::kMax : ThinkMode::kDefault;
}

Result<std::vector<std::int32_t>> ParseIds(const std::string& text) {
  std::vector<std::int32_t> ids;
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    std::string_view part = std::string_view(text).substr(from, comma - from);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!ParseWhole(part, &ids.emplace_back()))
      return UsageError("--ids", "\"" + std::string(part) + "\"", "token ids, such as 1,2,3",
                        "separate ids with commas");
    from = comma + 1;
  }
  return ids;
}

}  // namespace hadal
