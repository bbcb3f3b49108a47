// One character of a set of code points, as the bytes that spell it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sample/grammar.h"
#include "text/code_set.h"

namespace hadal {

// The code points that a text can hold: all but surrogates.
const CodeSet& AllCharacters();
CodeSet Without(const CodeSet& set, const CodeSet& other);

// The code points of valid UTF-8.
std::u32string CodesOf(std::string_view text);

// One character of the set, in UTF-8; an empty set matches nothing. `more` are edges for bytes that
// begin none of the characters.
GrammarNodeId OneCharacter(const CodeSet& set, GrammarNodeId next, GrammarBuilder* builder,
                           std::vector<GrammarEdge> more = {});

}  // namespace hadal
