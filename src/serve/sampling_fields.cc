#include "serve/sampling_fields.h"

#include <algorithm>

#include "serve/number_limits.h"

namespace hadal {

void ReadSamplingNumbers(Fields* fields, SamplingOptions* sampling) {
  ReadNumber(fields, "temperature", &sampling->temperature);
  ReadNumber(fields, "top_p", &sampling->top_p);
  ReadNumber(fields, "min_p", &sampling->min_p);
  ReadNumber(fields, "presence_penalty", &sampling->presence_penalty);
  ReadNumber(fields, "frequency_penalty", &sampling->frequency_penalty);
  ReadTopK(fields, sampling);
}

void ReadTopK(Fields* fields, SamplingOptions* sampling) {
  if (const auto top_k = ReadInteger(fields, "top_k"))
    sampling->top_k = static_cast<std::int32_t>(std::max<std::int64_t>(0, *top_k));
}

void ReadLogProbabilities(Fields* fields, SamplingOptions* sampling) {
  const bool wanted = fields->Boolean("logprobs").value_or(false);
  const auto top = ReadInteger(fields, "top_logprobs");
  if (top && *top > 0 && !wanted)
    fields->Fail("top_logprobs", "needs logprobs: true", "invalid_value");
  if (wanted) sampling->log_probabilities = static_cast<std::int32_t>(top.value_or(0));
}

}  // namespace hadal
