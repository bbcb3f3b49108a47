// Ollama's /api/generate and /api/chat as a Call. Fields and defaults: shared reference A4.1.
#pragma once

#include <string>

#include "serve/api_error.h"
#include "serve/call.h"
#include "serve/model_ability.h"
#include "serve/service.h"

namespace hadal {

struct OllamaRequest {
  Call call;
  bool load_only = false;  // nothing was asked: the model is to be loaded
  bool unload = false;     // keep_alive is 0
};

// The body of a request; media types other than JSON are taken from programs that are no browsers,
// since Ollama's own examples send none.
ApiResult<MetadataDocument> ParseOllamaBody(const HttpRequest& request);

// The model that `model` or `name` says; 400 where there is neither, 404 in Ollama's words.
ApiResult<ServedModel> FindOllamaModel(const Metadata& body, const Service& service);

ApiResult<OllamaRequest> ReadOllamaChat(const Metadata& body, const ServedModel& model);
ApiResult<OllamaRequest> ReadOllamaGenerate(const Metadata& body, const ServedModel& model);

// Reads keep_alive, which changes nothing: the models that are served stay. True where it is 0.
bool ReadKeepAlive(Fields* fields);

}  // namespace hadal
