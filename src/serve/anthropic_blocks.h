// Anthropic's messages and their blocks as a Chat: results of tools become messages of their own,
// neighbouring messages of one role become one, an assistant's message at the end is gone on with.
#pragma once

#include "hadal/generate.h"
#include "serve/json_reader.h"

namespace hadal {

// `system`, a text or blocks of text, and `messages`. What is not text, thinking, a call or a
// result is refused by its type.
void ReadAnthropicMessages(Fields* body, Chat* chat);

}  // namespace hadal
