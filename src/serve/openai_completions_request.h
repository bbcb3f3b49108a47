// OpenAI's POST /v1/completions as a Call: a text, texts, ids or lists of ids; with a suffix the
// model fills in between, where it was trained to. Fields: shared reference A1.4.
#pragma once

#include <string>
#include <vector>

#include "serve/api_error.h"
#include "serve/call.h"
#include "serve/model_ability.h"

namespace hadal {

struct CompletionsRequest {
  Call call;
  std::vector<std::string> echoes = {};  // the text of each prompt, where it is to be repeated
  bool only_echo = false;  // max_tokens is 0: the model is asked for one token that nobody sees
  int best = 0;            // give out so many of the choices, the likeliest; 0: all, as they are
  int log_probabilities = -1;  // as the client asked; `best` needs them on its own account
};

ApiResult<CompletionsRequest> ReadCompletions(const MetadataDocument& body,
                                              const ModelAbility& ability);

}  // namespace hadal
