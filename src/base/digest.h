// SHA-256 (FIPS 180-4) of bytes, computed by OpenSSL: what tells a damaged or exchanged file from
// the one that was written. Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"

namespace hadal {

using Digest = std::array<std::byte, 32>;

Digest Sha256Digest(ByteSpan bytes);

}  // namespace hadal
