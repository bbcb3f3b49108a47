// OpenAI's chat completions with DeepSeek's and the local servers' additions: the request.
#pragma once

#include "base/metadata.h"
#include "serve/call.h"
#include "serve/json_reader.h"
#include "serve/model_ability.h"

namespace hadal {

// What the request leaves open is as the model's checkpoint recommends it.
ApiResult<Call> ReadChatRequest(const MetadataDocument& document, const ModelAbility& ability,
                                const EngineInfo& info);

}  // namespace hadal
