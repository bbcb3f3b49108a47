// OpenAI's Responses: the body of POST /v1/responses and of its input_tokens as a Call. Stateless:
// what would need a stored response is refused. Fields: shared reference A1.6.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "serve/api_error.h"
#include "serve/call.h"
#include "serve/model_ability.h"

namespace hadal {

struct ResponsesRequest {
  Call call;
  // The settings as every response object repeats them: names and JSON values.
  std::vector<std::pair<std::string, std::string>> settings = {};
};

ApiResult<ResponsesRequest> ReadResponsesRequest(const MetadataDocument& body,
                                                 const ModelAbility& ability);

}  // namespace hadal
