#include "serve/call_arguments.h"

#include "serve/json_reader.h"

namespace hadal {

void WriteArguments(const std::string& arguments, JsonWriter* json) {
  if (arguments.empty()) {
    json->BeginObject().EndObject();
    return;
  }
  auto value = ParseStrictJson(arguments, "arguments");
  if (value.ok() && value->root().is_object())
    json->Raw(arguments);
  else
    json->BeginObject().Key("INVALID_JSON").Text(arguments).EndObject();
}

}  // namespace hadal
