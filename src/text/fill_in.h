// Filling in the middle: prompts for a text between two others, for models that were trained on it.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/tokenizer.h"

namespace hadal {

struct FillInPrompt {
  std::vector<TokenId> ids;
  std::vector<TokenId> ends;   // tokens that end the middle, beside those that end any text
  std::size_t before_end = 0;  // in ids: where the text before the middle ends
};

// Whether the vocabulary has the tokens.
bool KnowsFillIn(const Tokenizer& tokenizer);

// The model goes on with what stands between `before` and `after`; neither ever becomes a special
// token. The begin-of-sequence token comes in front where the model adds one. kUnsupported where
// the vocabulary has no such tokens. Order and spelling: the model cards of DeepSeek-Coder (its
// tokens are in DeepSeek's vocabularies since) and of Qwen2.5-Coder.
Result<FillInPrompt> EncodeFillIn(const Tokenizer& tokenizer, std::string_view before,
                                  std::string_view after);

}  // namespace hadal
