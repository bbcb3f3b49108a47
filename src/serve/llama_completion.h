// llama-server's POST /completion and /infill: the request as a Call, and its answer. Fields:
// shared reference A5.
#pragma once

#include <memory>

#include "serve/answer_writer.h"
#include "serve/call.h"
#include "serve/exchange.h"
#include "serve/model_ability.h"

namespace hadal {

struct LlamaRequest {
  Call call;
  bool return_tokens = false;
};
// `infill`: the prompt stands between input_prefix and input_suffix.
ApiResult<LlamaRequest> ReadLlamaRequest(const MetadataDocument& body, const ModelAbility& ability,
                                         bool infill);

std::unique_ptr<AnswerWriter> MakeLlamaAnswer(std::shared_ptr<Exchange> exchange,
                                              const LlamaRequest& request,
                                              const ModelAbility& ability);

}  // namespace hadal
