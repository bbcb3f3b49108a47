// The beginning of an answer that the model goes on with: DeepSeek's `prefix`, Anthropic's prefill.
//
// The prompt is what the model would have seen had it written that beginning itself: the
// conversation before it with the assistant's turn opened, then the text. So the rest of the answer
// is read as ever, and what was cached of the conversation stays usable.
#pragma once

#include "text/chat.h"
#include "text/prompt_format.h"

namespace hadal {

// With a text, its reasoning (or none) stands before it in a closed think block; reasoning alone is
// thought on. Reasoning is left out where the options turn thinking off. `options.arguments` is
// set. Fails unless the last message is an assistant's without calls and the one before it is a
// user's, a developer's or a tool's: elsewhere the formats open no turn.
Status EncodeContinued(const PromptFormat& format, const Conversation& conversation,
                       const EncodeOptions& options, PromptWriter* out);

}  // namespace hadal
