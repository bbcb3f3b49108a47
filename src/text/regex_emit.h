// A RegexTree as a PCRE2 pattern over symbols. Used by split_pattern.cc only.
#pragma once

#include <functional>
#include <string>

#include "text/code_alphabet.h"
#include "text/regex_tree.h"

namespace hadal {

// The symbols of each of a tree's sets.
using SymbolsOfSet = std::function<const SymbolSet&(int set)>;

// Sets become byte classes, the rest keeps its structure. An alternative that begins with an
// unlimited run S+ or S* and can fail behind it is guarded with (?:\G|(?<!S)): where it failed at
// one place of a run it fails at the next ones too, so trying them would only make the search
// quadratic.
std::string EmitPattern(const RegexTree& tree, const SymbolsOfSet& symbols);

// What a match can begin with, all symbols where it can be empty.
SymbolSet FirstSymbols(const RegexTree& tree, const SymbolsOfSet& symbols);

// Symbols of which every match holds at least one, all where nothing is known.
SymbolSet NeededSymbols(const RegexTree& tree, const SymbolsOfSet& symbols);

}  // namespace hadal
