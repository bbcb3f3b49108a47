// The messages of OpenAI's chat completions as a conversation. Internal to the OpenAI dialect.
#pragma once

#include "hadal/generate.h"
#include "serve/json_reader.h"

namespace hadal {

// Reads "messages". Text parts are joined by line ends; parts of other kinds, and a result for a
// call that nobody made, fail the reader. With `prefix` (DeepSeek) on the last message, an
// assistant's, the answer continues it.
void ReadChatMessages(Fields* body, Chat* chat);

}  // namespace hadal
