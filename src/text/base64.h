// Base64 (RFC 4648, with padding), as rank files and vectors write bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hadal {

// Nothing where `text` is not base64 of a whole number of bytes; "" is.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace hadal
