// SplitPattern: a pattern of a pre-tokenizer, compiled by PCRE2 over the symbols of a CodeAlphabet
// (bytes; neither PCRE2's UTF mode nor its Unicode tables are used).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/code_alphabet.h"
#include "text/regex_tree.h"

namespace hadal {

// A part of a text of symbols.
struct TextSpan {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
  bool operator==(const TextSpan&) const = default;
};

// What one thread needs to match; made once for many calls. Any pattern may use any of them.
class MatchScratch {
 public:
  MatchScratch();
  ~MatchScratch();
  MatchScratch(const MatchScratch&) = delete;
  MatchScratch& operator=(const MatchScratch&) = delete;

 private:
  friend class SplitPattern;
  struct State;
  std::unique_ptr<State> state_;
};

// Immutable; any thread may match, each with its own scratch.
class SplitPattern {
 public:
  // `first_set` is the place of tree.sets[0] among the sets that the alphabet was made of.
  static Result<SplitPattern> Compile(const RegexTree& tree, const CodeAlphabet& alphabet,
                                      std::size_t first_set, const std::string& where);

  // Appends all matches in `symbols`, left to right, none overlapping another, an empty one never
  // right behind the match before it. Fails where one attempt takes more than 100000 steps
  // plus 32 for each symbol, which no tokenizer's own pattern does.
  Status FindAll(std::string_view symbols, MatchScratch* scratch,
                 std::vector<TextSpan>* matches) const;

 private:
  SplitPattern() = default;
  Status FindFrom(std::string_view symbols, std::size_t from, MatchScratch* scratch,
                  TextSpan* match, bool* found) const;

  std::shared_ptr<const void> code_;
  // By symbol: can a match begin with it, and is it one of those of which every match holds one?
  enum Use : std::uint8_t { kFirst = 1, kNeeded = 2 };
  std::array<std::uint8_t, 256> uses_{};
  bool can_be_empty_ = false;  // then kFirst and kNeeded say nothing
  std::string where_;
};

}  // namespace hadal
