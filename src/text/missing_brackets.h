// The one repair of tool calls that leaves no doubt: closing brackets that a model forgot at the
// end of its arguments.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hadal {

// The brackets that make a JSON object of the text; nothing where it is one already, or where
// anything else is missing too: the end of a string, a value, a comma.
std::optional<std::string> MissingBrackets(std::string_view arguments);

}  // namespace hadal
