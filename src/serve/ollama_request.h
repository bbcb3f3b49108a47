// Ollama's /api/generate and /api/chat as a Call. Fields and defaults: shared reference A4.1.
#pragma once

#include <string>

#include "serve/api_error.h"
#include "serve/call.h"
#include "serve/keep_alive.h"
#include "serve/model_ability.h"
#include "serve/service.h"

namespace hadal {

struct OllamaRequest {
  Call call;
  bool load_only = false;  // nothing was asked: the model is to be loaded
};

// The body of a request; media types other than JSON are taken from programs that are no browsers,
// since Ollama's own examples send none.
ApiResult<MetadataDocument> ParseOllamaBody(const HttpRequest& request);

// The name that `model` or `name` says; 400 where there is neither.
ApiResult<std::string> OllamaModelName(const Metadata& body);

// Whether a body of a chat, or of generate, asks nothing: the model is to be loaded or unloaded.
bool AsksNothing(const Metadata& body, bool chat);

// `model` is its name, as messages say it.
ApiResult<OllamaRequest> ReadOllamaChat(const Metadata& body, const std::string& model,
                                        const ModelAbility& ability);
ApiResult<OllamaRequest> ReadOllamaGenerate(const Metadata& body, const std::string& model,
                                            const ModelAbility& ability);

}  // namespace hadal
