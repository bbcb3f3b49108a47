#include "text/missing_brackets.h"

#include "base/json.h"

namespace hadal {

std::optional<std::string> MissingBrackets(std::string_view arguments) {
  constexpr std::size_t kMostOpen = 64;
  std::string open;  // the closing brackets, the outermost first
  bool in_string = false, escaped = false;
  for (const char c : arguments) {
    if (in_string) {
      in_string = escaped || c != '"';
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      open += c == '{' ? '}' : ']';
    } else if (c == '}' || c == ']') {
      if (open.empty() || open.back() != c) return std::nullopt;
      open.pop_back();
    }
    if (open.size() > kMostOpen) return std::nullopt;
  }
  if (in_string || open.empty() || open.front() != '}') return std::nullopt;
  std::string brackets(open.rbegin(), open.rend());
  const auto parsed = ParseJson(std::string(arguments) + brackets, "arguments");
  if (!parsed.ok() || !parsed->root().is_object()) return std::nullopt;
  return brackets;
}

}  // namespace hadal
