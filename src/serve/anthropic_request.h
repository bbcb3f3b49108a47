// Anthropic's Messages: the body of POST /v1/messages and of its count_tokens as a Call.
// Fields: shared reference A3.1; the API is that of 2023-06-01 and of 2026-10-21 alike.
#pragma once

#include "base/metadata.h"
#include "serve/api_error.h"
#include "serve/call.h"
#include "serve/model_ability.h"

namespace hadal {

struct AnthropicRequest {
  Call call;
  bool shows_thinking = true;  // thinking.display is not "omitted"
};

// `counting`: of count_tokens, which needs no max_tokens. The model is there already, since what a
// request may say depends on it.
ApiResult<AnthropicRequest> ReadAnthropicRequest(const MetadataDocument& body,
                                                 const ModelAbility& ability, bool counting);

}  // namespace hadal
