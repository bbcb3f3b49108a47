// The arguments of a call as an object, for dialects that have no place for text.
#pragma once

#include <string>

#include "serve/json_writer.h"

namespace hadal {

// The object as it stands. What is none (a call that was cut off) becomes {"INVALID_JSON": text},
// the form that Anthropic's documentation gives it.
void WriteArguments(const std::string& arguments, JsonWriter* json);

}  // namespace hadal
