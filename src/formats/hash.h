// SHA-256 (FIPS 180-4) of bytes and files, as 64 lower-case hexadecimal digits; OpenSSL computes
// it.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace hadal {

std::string Sha256(ByteSpan bytes);

// Reads the file in place; kUnusable where it cannot be opened.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace hadal
