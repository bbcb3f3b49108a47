// The hub's list of a repository's files: GET /api/models/OWNER/NAME/tree/REVISION?recursive=true,
// a JSON array of {"type":"file","path":...,"size":...,"oid":...,"lfs":{"oid":...,"size":...}}
// (huggingface.co's documentation of its API). Every byte of it is hostile. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hadal {

// The longest list that is read, all its pages together.
inline constexpr std::uint64_t kMostListBytes = 4u << 20;

struct HubFile {
  std::string path;  // IsHubPath
  std::uint64_t bytes = 0;
  // Hexadecimal: 64 digits of SHA-256 (large files), or the 40 by which git names a file of this
  // content; empty where the list gives neither.
  std::string checksum;
  std::string target = {};  // where it goes below the model's folder

  bool has_sha256() const { return checksum.size() == 64; }
  // "sha256:..." or "git:...".
  std::string Digest() const { return (has_sha256() ? "sha256:" : "git:") + checksum; }
};

// One page of the list. Refused whole where any entry is not what it must be: a path that leaves
// its folder or comes twice, a size that is none, a digest that is not plain lower-case hexadecimal
// of the right length. `where` names the list in messages.
Result<std::vector<HubFile>> ParseFileList(std::string_view json, const std::string& where);

}  // namespace hadal
