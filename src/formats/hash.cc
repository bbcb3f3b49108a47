#include "formats/hash.h"

#include "base/digest.h"
#include "base/file.h"

namespace hadal {

std::string Sha256(ByteSpan bytes) { return Hex(Sha256Digest(bytes)); }

Result<std::string> Sha256OfFile(const std::string& path) {
  HADAL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  return Sha256(file->bytes());
}

}  // namespace hadal
