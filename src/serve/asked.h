// What every question to a model begins with: its body, the model it names, what that can do.
#pragma once

#include "serve/json_reader.h"
#include "serve/model_ability.h"
#include "serve/service.h"

namespace hadal {

struct Asked {
  MetadataDocument body;
  ServedModel model;
  ModelAbility ability;
};
// The default model where none is named.
ApiResult<Asked> ReadAsked(const Service& service, const HttpRequest& request);

}  // namespace hadal
