// Patterns of JSON Schema (a part of ECMA-262) as pieces of a grammar.
//
// Understood: characters, ".", classes, \d \w \s and their opposites (ASCII, as ECMA-262 has it
// for d and w), escapes of characters, groups, alternatives, the quantifiers * + ? {m} {m,} {m,n}
// (lazy ones alike), ^ at the beginning and $ at the end of the pattern or of one of its outer
// alternatives. A pattern without ^ or $ may be preceded or followed by any text. Refused by name:
// look-around, references, \b, \p, flags. There is no backtracking: the automaton follows all ways
// at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "sample/json_grammar.h"

namespace hadal {

inline constexpr std::size_t kMostPatternBytes = 2048;
inline constexpr std::uint32_t kMostRepeat = 10'000;

// A text that the pattern finds something in and whose length, in characters, is within `length`;
// without quotes. Lengths beside a pattern are enforced where the pattern is one repeated character
// or has such lengths by itself; else kUsage, as for everything that is not understood.
Result<GrammarNodeId> PatternText(std::string_view pattern, const std::string& where,
                                  const GrammarBuilder::Count& length, Spelling spelling,
                                  GrammarNodeId next, JsonGrammar* json);

// The pattern of a format of JSON Schema; empty where the format is not one of those that are
// enforced (date, time, date-time, uuid, email, ...).
std::string_view PatternOfFormat(std::string_view format);
std::string FormatNames();

}  // namespace hadal
