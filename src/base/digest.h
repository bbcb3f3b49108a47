// SHA-256 (FIPS 180-4) of bytes, computed by OpenSSL: what tells a damaged or exchanged file from
// the one that was written; and bytes as text. Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hadal {

using Digest = std::array<std::byte, 32>;

Digest Sha256Digest(ByteSpan bytes);
inline Digest Sha256Digest(std::string_view text) {
  return Sha256Digest(std::as_bytes(std::span(text)));
}

// Two hexadecimal digits a byte, lower case.
std::string Hex(ByteSpan bytes);

}  // namespace hadal
