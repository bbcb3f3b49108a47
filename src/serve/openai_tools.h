// Tools in OpenAI's chat completions: definitions, the choice among them, and the older functions;
// and how every dialect hands a function on.
#pragma once

#include "hadal/generate.h"
#include "serve/json_reader.h"
#include "serve/json_writer.h"
#include "serve/model_ability.h"

namespace hadal {

// Reads tools, tool_choice, parallel_tool_calls, functions and function_call.
void ReadTools(Fields* body, const ModelAbility& ability, Chat* chat, ToolChoice* choice);

// On DeepSeek's beta base every function is strict, or none is (shared reference A2): what is wrong
// with the tools that ReadTools took.
std::optional<ApiError> CheckStrictTools(const Metadata& body);

// One function as formats want it: its name, description, parameters (which the request has as
// `schema_key`) and strict.
void WriteFunctionTool(Fields* function, std::string_view schema_key, JsonWriter* json);

}  // namespace hadal
