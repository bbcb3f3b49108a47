// Token healing: an answer that goes on with a text of the request begins with whole tokens.
//
// A text that is cut anywhere ends in tokens that the same text, longer, would not have: "hel"
// before "hello". A model that must go on behind them has seldom seen that. So the last tokens of
// the text are taken back where longer ones begin like them, and the answer is held to begin with
// the bytes that are owed (AnswerGuide). Those are not part of the answer. Where no token of the
// vocabulary is longer in that way, nothing changes.
#pragma once

#include "engine/prompt.h"
#include "sample/token_trie.h"

namespace hadal {

// Takes tokens back from the end of prompt->open, whose text becomes prompt->owed. Never the only
// token of a prompt.
void HealPrompt(const TokenTrie& trie, PreparedPrompt* prompt);

}  // namespace hadal
