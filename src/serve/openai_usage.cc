#include "serve/openai_usage.h"

#include <algorithm>

namespace hadal {

void WriteTextUsage(const AnswerEnd& end, JsonWriter* json) {
  const Usage& usage = end.usage;
  json->BeginObject().Key("prompt_tokens").Integer(usage.prompt_tokens);
  json->Key("completion_tokens").Integer(usage.generated_tokens);
  json->Key("total_tokens").Integer(usage.prompt_tokens + usage.generated_tokens);
  json->Key("prompt_tokens_details").BeginObject();
  json->Key("cached_tokens").Integer(usage.cached_tokens).EndObject();
  json->Key("completion_tokens_details").BeginObject();
  json->Key("reasoning_tokens").Integer(end.reasoning_tokens).EndObject();
  json->Key("prompt_cache_hit_tokens").Integer(usage.cached_tokens);
  json->Key("prompt_cache_miss_tokens").Integer(usage.prompt_tokens - usage.cached_tokens);
  json->EndObject();
}

void WriteTimings(const AnswerEnd& end, const Timings& timings, JsonWriter* json) {
  const Usage& usage = end.usage;
  const std::int64_t read = usage.prompt_tokens - usage.cached_tokens;
  const double read_seconds = std::max(0.0, timings.prefill_seconds - end.queue_seconds);
  const auto rate = [](std::int64_t tokens, double seconds) {
    return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
  };
  json->BeginObject().Key("cache_n").Integer(usage.cached_tokens);
  json->Key("prompt_n").Integer(read).Key("prompt_ms").Number(read_seconds * 1e3);
  json->Key("prompt_per_second").Number(rate(read, read_seconds));
  json->Key("predicted_n").Integer(usage.generated_tokens);
  json->Key("predicted_ms").Number(timings.decode_seconds * 1e3);
  json->Key("predicted_per_second").Number(timings.DecodeTokensPerSecond(usage));
  json->EndObject();
}

}  // namespace hadal
