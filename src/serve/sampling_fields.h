// How tokens are chosen, as far as dialects say it with the same names.
#pragma once

#include "hadal/generate.h"
#include "serve/json_reader.h"

namespace hadal {

// temperature, top_p, min_p, top_k, presence_penalty, frequency_penalty; what is absent stays.
void ReadSamplingNumbers(Fields* fields, SamplingOptions* sampling);
// top_k alone; what is below 0 turns it off.
void ReadTopK(Fields* fields, SamplingOptions* sampling);
// logprobs, yes or no, and top_logprobs with it.
void ReadLogProbabilities(Fields* fields, SamplingOptions* sampling);

}  // namespace hadal
