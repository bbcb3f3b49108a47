// What the bodies of OpenAI's completions and chat completions share: how tokens are chosen, when
// the answer ends, and how it is sent. Fields: shared reference A1.1, A1.4.
#pragma once

#include "serve/call.h"
#include "serve/json_reader.h"
#include "serve/model_ability.h"

namespace hadal {

// temperature, top_p, the penalties, logit_bias, seed, stop; and top_k, min_p, repetition_penalty,
// ignore_eos, which others have beside them.
void ReadOpenAiSampling(Fields* body, const ModelAbility& ability, GenerateRequest* request);

// n, stream, stream_options, user and its like (user_id, safety_identifier).
void ReadOpenAiDelivery(Fields* body, Call* call);

}  // namespace hadal
