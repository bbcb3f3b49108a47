// The parts of the pattern parser that deal with one character: reading, escapes, classes, case.
// Used by regex_parser.cc only; the dialect is described in regex_tree.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "text/code_set.h"

namespace hadal {

// A place in a pattern, which is valid UTF-8.
class RegexReader {
 public:
  RegexReader(std::string_view pattern, std::string where)
      : pattern_(pattern), where_(std::move(where)) {}

  bool AtEnd() const { return at_ == pattern_.size(); }
  std::size_t at() const { return at_; }
  void GoTo(std::size_t at) { at_ = at; }
  char Peek() const { return AtEnd() ? '\0' : pattern_[at_]; }
  bool Sees(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool Take(std::string_view text);  // steps over `text` where it stands here
  char32_t Next();                   // one character; not at the end
  std::optional<int> TakeNumber();   // decimal digits, if any; large ones end at a million

  Status Broken(std::string found) const;   // the pattern is no pattern
  Status Refused(std::string found) const;  // it is, and this program does not run it

 private:
  std::string Place() const;
  std::string_view pattern_;
  std::string where_;
  std::size_t at_ = 0;
};

// What an escape stands for.
struct RegexEscape {
  CodeSet set;
  bool single = false;  // one character, which may begin or end a range
};
// Reads from the backslash on.
Result<RegexEscape> ParseRegexEscape(RegexReader* reader);

// Reads a class whose "[" is behind the reader, "]" included.
Result<CodeSet> ParseRegexClass(RegexReader* reader, bool ignore_case, int depth = 0);

// The set with each letter's other cases, U+017F for s and U+212A for k among them (simple case
// folding, as the reference engine does it). Refuses sets with some, not all, of the cased letters
// beyond ASCII; `reader` tells the place.
Result<CodeSet> WithBothCases(const CodeSet& set, const RegexReader& reader);
// Pairs that the reference engine also finds in one character when case is ignored (U+FB00 and its
// neighbours, U+00DF).
bool FoldsTogether(char32_t a, char32_t b);

}  // namespace hadal
