// The input items of OpenAI's Responses as a Chat.
#pragma once

#include "hadal/generate.h"
#include "serve/json_reader.h"

namespace hadal {

// `instructions` and `input`: a text or items. Items that stand for something stored, or that are
// no text, are refused by their type.
void ReadResponsesInput(Fields* body, Chat* chat);

}  // namespace hadal
