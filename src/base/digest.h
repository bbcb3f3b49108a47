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

// A digest of bytes that come in pieces. One thread at a time.
class DigestStream {
 public:
  enum class Kind : unsigned char { kSha1, kSha256 };  // kSha1: what git names its objects by
  explicit DigestStream(Kind kind);
  ~DigestStream();
  DigestStream(const DigestStream&) = delete;
  DigestStream& operator=(const DigestStream&) = delete;
  void Add(ByteSpan bytes);
  void Add(std::string_view text) { Add(std::as_bytes(std::span(text))); }
  // In hexadecimal; ends the stream.
  std::string Finish();

 private:
  void* context_;
};

// Two hexadecimal digits a byte, lower case.
std::string Hex(ByteSpan bytes);

}  // namespace hadal
