// A tokenizer's regular expression as a tree over sets of code points, and its parser.
//
// The dialect is what tokenizer.json files mean by it: Oniguruma's Ruby syntax, since the reference
// library matches with that engine. `.` is all but \n, `$` and `^` are line ends, classes nest and
// intersect (&&), {,n} is {0,n}. Every class (\s, \d, \p{...}) is a CodeSet from our own table when
// the parser is done, so what remains for a matching engine is structure only.
// Refused by name: back references, word boundaries, \w, inline options but (?i:...), POSIX
// brackets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/code_set.h"

namespace hadal {

struct RegexNode {
  enum Kind : std::uint8_t {
    kSet,           // one character of sets[set]
    kSequence,      // the children one after another
    kAlternatives,  // the first child that matches
    kAtomic,        // the child without giving back
    kLookAhead,     // the child matches here, nothing is consumed
    kLookBehind,    // the child matches up to here
    kNotAhead,
    kNotBehind,
    kStart,  // of the text
    kEnd,
  };
  enum Greed : std::uint8_t { kGreedy, kLazy, kPossessive };
  static constexpr int kUnlimited = -1;

  Kind kind = kSequence;
  Greed greed = kGreedy;
  int least = 1, most = 1;  // how often in a row
  int set = -1;
  std::vector<RegexNode> children;

  bool IsRepeated() const { return least != 1 || most != 1; }
};

struct RegexTree {
  RegexNode root;
  std::vector<CodeSet> sets;  // no two are equal
};

// `where` names the pattern in messages. Patterns nest at most 50 deep and have at most 65536
// bytes.
Result<RegexTree> ParseRegex(std::string_view pattern, const std::string& where);

// The tree that matches exactly this text.
RegexTree LiteralRegex(std::string_view text);

}  // namespace hadal
