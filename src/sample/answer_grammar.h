// AnswerGrammar: what a whole answer may be, as one grammar: a JSON value, tool calls, or either.
// And GrammarStore, which keeps those that were asked for lately.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "sample/call_grammar.h"
#include "sample/grammar.h"
#include "sample/token_trie.h"

namespace hadal {

struct AnswerGrammar {
  // The content, where the answer may be or must be that: any JSON object, or what a schema says.
  bool json = false;
  std::string schema = {};  // with `json`: JSON Schema; empty: any object

  // The calls, where the answer may be or must be those; none where there are no tools.
  AnswerSyntax syntax = AnswerSyntax::kPlain;
  std::vector<CallableTool> tools = {};
  bool parallel = true;
  bool behind_opener = false;  // the opener was written already; `json` is false

  bool after_reasoning = false;  // line breaks may come first
};

// Fails with kUsage, naming the place in the schema, or the tool.
Result<std::shared_ptr<const Grammar>> Compile(const AnswerGrammar& answer,
                                               GrammarBuilder::MarkFinder marks);

// Grammars by the exact text of what they were made from, the latest used ones, up to a number of
// bytes; and the vocabulary's tree, made when it is first needed. Thread-safe. Nothing is on disk.
class GrammarStore {
 public:
  explicit GrammarStore(std::uint64_t most_bytes = 32ull << 20) : most_bytes_(most_bytes) {}

  // The same tokenizer and vocabulary on every call.
  std::shared_ptr<const TokenTrie> Trie(const Tokenizer& tokenizer, std::int64_t vocabulary);

  Result<std::shared_ptr<const Grammar>> Get(const AnswerGrammar& answer, const TokenTrie& trie);

  std::uint64_t bytes() const;
  std::size_t size() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Grammar> grammar;
    std::uint64_t bytes = 0;
  };
  const std::uint64_t most_bytes_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TokenTrie> trie_;  // guarded by mutex_, like the rest
  std::list<Entry> entries_;               // the latest used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
  std::uint64_t bytes_ = 0;
};

}  // namespace hadal
