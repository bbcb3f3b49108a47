#include "formats/hash.h"

#include "base/digest.h"
#include "base/file.h"

namespace hadal {

std::string Sha256(ByteSpan bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const std::byte one : Sha256Digest(bytes)) {
    text += kHex[std::to_integer<unsigned>(one) >> 4];
    text += kHex[std::to_integer<unsigned>(one) & 15];
  }
  return text;
}

Result<std::string> Sha256OfFile(const std::string& path) {
  HADAL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  return Sha256(file->bytes());
}

}  // namespace hadal
