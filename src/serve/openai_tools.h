// Tools in OpenAI's chat completions: definitions, the choice among them, and the older functions.
// Internal to the OpenAI dialect.
#pragma once

#include "hadal/generate.h"
#include "serve/json_reader.h"
#include "serve/model_ability.h"

namespace hadal {

// Reads tools, tool_choice, parallel_tool_calls, functions and function_call.
void ReadTools(Fields* body, const ModelAbility& ability, Chat* chat, ToolChoice* choice);

}  // namespace hadal
