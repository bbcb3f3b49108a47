// Usage as OpenAI writes it, with DeepSeek's counts of the cache beside it.
#pragma once

#include <string_view>

#include "serve/answer_writer.h"
#include "serve/json_writer.h"

namespace hadal {

// The same tokens for the same request and seed: promise 3 of docs/architecture.md.
inline constexpr std::string_view kSystemFingerprint = "fp_hadal";

void WriteTextUsage(const AnswerEnd& end, JsonWriter* json);

// llama-server's "timings", which pages read their tokens per second from.
void WriteTimings(const AnswerEnd& end, const Timings& timings, JsonWriter* json);

}  // namespace hadal
