// Ollama's messages and tools as a Chat.
#pragma once

#include <string>

#include "serve/json_reader.h"
#include "serve/model_ability.h"

namespace hadal {

// `messages`; calls without ids get some, and results without one belong to the first call of
// their tool (else the first of any) that has no result yet. A last message of the assistant is
// gone on with.
void ReadOllamaMessages(Fields* body, Chat* chat);
// `tools`, which are OpenAI's.
void ReadOllamaTools(Fields* body, const std::string& model, const ModelAbility& ability,
                     Chat* chat);
// `images` with something in it.
void RefuseImages(Fields* fields);

}  // namespace hadal
