#include "serve/openai_sampling.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "serve/field_lists.h"
#include "serve/number_limits.h"
#include "serve/random_id.h"
#include "serve/sampling_fields.h"

namespace hadal {
namespace {

constexpr std::size_t kMostBiases = 1024;
constexpr std::size_t kMostUserBytes = 512;

// Tokens by their id, as text.
void ReadLogitBias(Fields* body, const ModelAbility& ability, SamplingOptions* sampling) {
  const auto bias = body->Object("logit_bias");
  if (!bias) return;
  const auto members = bias->object().members();
  if (members.size() > kMostBiases)
    return body->Fail("logit_bias", "has more than " + std::to_string(kMostBiases) + " tokens",
                      "array_above_max_length");
  for (const Metadata::Member& member : members) {
    std::int32_t token = -1;
    const char* end = member.key.data() + member.key.size();
    const auto [stop, error] = std::from_chars(member.key.data(), end, token);
    const bool known = ability.tokenizer == nullptr || token < ability.tokenizer->vocabulary();
    if (error != std::errc() || stop != end || token < 0 || !known)
      return body->Fail(
          "logit_bias",
          "has a key that is no token of this model: \"" + std::string(member.key) + "\"",
          "invalid_value");
    const auto value = member.value.is_number() ? member.value.real() : std::nullopt;
    if (!value || !(std::abs(*value) <= 100))
      return body->Fail("logit_bias", "must be numbers from -100 to 100", "invalid_value");
    sampling->logit_bias.emplace_back(token, static_cast<float>(*value));
  }
}

}  // namespace

void ReadOpenAiSampling(Fields* body, const ModelAbility& ability, GenerateRequest* request) {
  SamplingOptions& sampling = request->sampling;
  ReadSamplingNumbers(body, &sampling);
  ReadNumber(body, "repetition_penalty", &sampling.repetition_penalty);
  const auto seed = ReadInteger(body, "seed");
  sampling.seed = seed ? static_cast<std::uint64_t>(*seed) : RandomSeed();
  request->ignore_end = body->Boolean("ignore_eos").value_or(false);
  request->stops = StopsOf(body, "stop");
  ReadLogitBias(body, ability, &sampling);
}

void ReadOpenAiDelivery(Fields* body, Call* call) {
  call->choices = static_cast<int>(ReadInteger(body, "n").value_or(1));
  call->stream = body->Boolean("stream").value_or(false);
  if (auto options = body->Object("stream_options")) {
    if (!call->stream) body->Fail("stream_options", "needs stream", "invalid_value");
    call->include_usage = options->Boolean("include_usage").value_or(false);
    options->Boolean("include_obfuscation");
    options->Finish();
  }
  for (const char* key : {"user", "safety_identifier", "user_id"}) {
    const auto user = body->Text(key);
    if (!user) continue;
    if (user->size() > kMostUserBytes)
      body->Fail(key, "is longer than " + std::to_string(kMostUserBytes) + " bytes",
                 "string_above_max_length");
    call->cache_salt = *user;
  }
}

}  // namespace hadal
