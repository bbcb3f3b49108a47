// Sets of code points as ascending ranges, and the bytes that spell them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sample/grammar.h"

namespace hadal {

struct CodeRange {
  char32_t low = 0, high = 0;  // both included
  bool operator==(const CodeRange&) const = default;
};
using CodeRanges = std::vector<CodeRange>;

inline constexpr char32_t kLastCode = 0x10FFFF;

// Sorted, joined where they touch, without surrogates.
CodeRanges Normalized(CodeRanges ranges);
CodeRanges Complement(const CodeRanges& ranges);
bool Contains(const CodeRanges& ranges, char32_t code);
CodeRanges Without(const CodeRanges& ranges, const CodeRanges& other);

// The code points of valid UTF-8.
std::u32string CodesOf(std::string_view text);

// One character of the set, in UTF-8. `ranges` are normalized; an empty set matches nothing.
// `more` are edges for bytes that begin none of the characters.
GrammarNodeId OneCharacter(const CodeRanges& ranges, GrammarNodeId next, GrammarBuilder* builder,
                           std::vector<GrammarEdge> more = {});

}  // namespace hadal
