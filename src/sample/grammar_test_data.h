// What the tests of grammars share: a small vocabulary, walks along masks, and a second opinion on
// JSON Schema. Inside of tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/random.h"
#include "sample/answer_grammar.h"
#include "sample/grammar_matcher.h"

namespace hadal {

// Token 0 is special ("<|end|>"), 1 to 256 are the bytes, then tokens of several: pieces that run
// over quotes, brackets, commas, characters' parts and words; last three marks of their own.
std::shared_ptr<const Tokenizer> GrammarTokenizer();
std::shared_ptr<const TokenTrie> GrammarTrie();

Result<std::shared_ptr<const Grammar>> CompileJson(const std::string& schema);

// Whether the grammar takes the text as a whole.
bool Takes(const std::shared_ptr<const Grammar>& grammar, std::string_view text);
bool SchemaTakes(const std::string& schema, std::string_view text);

// A text that random tokens make, one allowed token after another. Ends where the grammar does;
// after `soon` tokens the shortest way there is preferred.
std::string RandomText(const std::shared_ptr<const Grammar>& grammar,
                       const std::shared_ptr<const TokenTrie>& trie, Random* random, int soon);

// JSON Schema as far as the tests use it, written on its own and without cleverness. Empty where
// the value is valid, else what is wrong.
std::string Invalid(const nlohmann::json& schema, const nlohmann::json& value,
                    const nlohmann::json& document);

}  // namespace hadal
