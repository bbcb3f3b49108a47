#include "formats/hash.h"

#include <openssl/evp.h>

#include <array>

#include "base/check.h"
#include "base/file.h"

namespace hadal {

std::string Sha256(ByteSpan bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  HADAL_CHECK(done == 1 && length == 32, "OpenSSL gives SHA-256");
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

Result<std::string> Sha256OfFile(const std::string& path) {
  HADAL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  return Sha256(file->bytes());
}

}  // namespace hadal
