// Character classes of Unicode 16.0, from a table of our own: no library's version of Unicode
// decides what a tokenizer pattern matches.
#pragma once

#include <optional>
#include <string_view>

#include "text/code_set.h"

namespace hadal {

// A general category ("L", "Lu", "Nd", ...; "LC" is Lu, Ll and Lt) or the script "Han", with the
// case of the letters and "_", "-" and spaces ignored as in \p{...}. Nothing for any other name.
std::optional<CodeSet> UnicodeClass(std::string_view name);

// White_Space: what \s means. 25 members, U+0085 among them, U+FEFF and U+200B not.
const CodeSet& WhiteSpace();

// What \w means in the `regex` crate, which decides for added tokens that must stand as single
// words: Alphabetic, marks, decimal digits, connecting punctuation, Join_Control.
const CodeSet& WordCharacters();

}  // namespace hadal
