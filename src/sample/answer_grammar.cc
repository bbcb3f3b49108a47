#include "sample/answer_grammar.h"

#include "base/json.h"

namespace hadal {
namespace {

// Everything that the grammar depends on; pieces that a request may hold come with their length.
std::string KeyOf(const AnswerGrammar& answer) {
  std::string key;
  const auto add = [&key](std::string_view piece) {
    key += std::to_string(piece.size()) + ':';
    key += piece;
  };
  add(answer.json ? "json" : "");
  add(answer.schema);
  add(std::to_string(static_cast<int>(answer.syntax)));
  for (const bool flag : {answer.parallel, answer.behind_opener, answer.after_reasoning})
    key += flag ? '1' : '0';
  for (const CallableTool& tool : answer.tools) {
    add(tool.name);
    add(WriteJson(tool.parameters.root()));
  }
  return key;
}

}  // namespace

Result<std::shared_ptr<const Grammar>> Compile(const AnswerGrammar& answer,
                                               GrammarBuilder::MarkFinder marks) {
  const std::string where = answer.json ? "schema#" : "tools";
  GrammarBuilder builder(std::move(marks));
  JsonGrammar json(&builder);
  std::vector<GrammarNodeId> choices;
  MetadataDocument document;  // lives as long as the builder reads it
  if (answer.json && answer.schema.empty()) {
    choices.push_back(json.AnyObject(GrammarBuilder::kReturn));
  } else if (answer.json) {
    HADAL_ASSIGN_OR_RETURN(document, ParseSchema(answer.schema, where));
    SchemaGrammar schema(document.root(), where, &json);
    HADAL_ASSIGN_OR_RETURN(const GrammarNodeId value,
                           schema.Value(schema.Root(), GrammarBuilder::kReturn));
    HADAL_RETURN_IF_ERROR(schema.Finish());
    choices.push_back(value);
  }
  if (!answer.tools.empty()) {
    CallGrammar calls(answer.syntax, answer.tools, answer.parallel, &json);
    HADAL_ASSIGN_OR_RETURN(GrammarNodeId begin,
                           calls.Calls(answer.behind_opener, GrammarBuilder::kReturn));
    choices.push_back(begin);
  }
  GrammarNodeId begin = builder.Fork(std::move(choices));
  if (answer.after_reasoning)
    begin = builder.Fork(
        {builder.Byte('\n', builder.Optional(builder.Byte('\n', begin), begin)), begin});
  const GrammarRuleId root = builder.ReserveRule();
  builder.SetRule(root, begin);
  return builder.Finish(root, where);
}

std::shared_ptr<const TokenTrie> GrammarStore::Trie(const Tokenizer& tokenizer,
                                                    std::int64_t vocabulary) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (trie_ == nullptr)
    trie_ = std::make_shared<const TokenTrie>(tokenizer, vocabulary, CallMarks());
  return trie_;
}

Result<std::shared_ptr<const Grammar>> GrammarStore::Get(const AnswerGrammar& answer,
                                                         const TokenTrie& trie) {
  std::string key = KeyOf(answer);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->grammar;
    }
  }
  // Without the lock: another request need not wait. Two may make the same one.
  HADAL_ASSIGN_OR_RETURN(
      std::shared_ptr<const Grammar> grammar,
      Compile(answer, [&trie](std::string_view text) { return trie.MarkOf(text); }));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (by_key_.count(key) > 0) return grammar;
  const std::uint64_t bytes = grammar->bytes() + key.size() + sizeof(Entry);
  if (bytes > most_bytes_) return grammar;
  entries_.push_front({std::move(key), grammar, bytes});
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > most_bytes_) {
    bytes_ -= entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return grammar;
}

std::uint64_t GrammarStore::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

std::size_t GrammarStore::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

}  // namespace hadal
