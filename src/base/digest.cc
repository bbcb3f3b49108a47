#include "base/digest.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace hadal {

Digest Sha256Digest(ByteSpan bytes) {
  Digest digest{};
  unsigned length = 0;
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()),
                 &length, EVP_sha256(), nullptr);
  HADAL_CHECK(done == 1 && length == digest.size(), "OpenSSL gives SHA-256");
  return digest;
}

DigestStream::DigestStream(Kind kind) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* method = kind == Kind::kSha1 ? EVP_sha1() : EVP_sha256();
  HADAL_CHECK(context_ != nullptr &&
                  EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), method, nullptr) == 1,
              "OpenSSL gives SHA-1 and SHA-256");
}

DigestStream::~DigestStream() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void DigestStream::Add(ByteSpan bytes) {
  HADAL_CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1,
              "a digest takes bytes until it is finished");
}

std::string DigestStream::Finish() {
  std::array<std::byte, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HADAL_CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_),
                                 reinterpret_cast<unsigned char*>(digest.data()), &length) == 1,
              "a digest is finished once");
  return Hex(std::span(digest).first(length));
}

std::string Hex(ByteSpan bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

}  // namespace hadal
