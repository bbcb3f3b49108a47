#include "fetch/file_list.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "base/json.h"
#include "fetch/hub_name.h"

namespace hadal {
namespace {

constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 50;  // a pebibyte
constexpr JsonLimits kLimits{.max_depth = 16, .max_nodes = 1 << 20, .unique_keys = true};
constexpr char kHint[] = "the hub's answer is not one that can be trusted; try again, or another";

bool IsHex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status Wrong(const std::string& where, const Metadata* found, const std::string& expected) {
  return Unusable(where, found == nullptr ? "nothing" : found->Describe(), expected, kHint);
}

Result<std::uint64_t> ReadSize(const Metadata& entry, const std::string& where) {
  const Metadata* size = entry.Find("size");
  if (size == nullptr || !size->is_integer() || !size->unsigned_integer() ||
      *size->unsigned_integer() > kMostFileBytes)
    return Wrong(where + ".size", size, "a number of bytes");
  return *size->unsigned_integer();
}

Result<std::string> ReadDigest(const Metadata& entry, std::size_t digits,
                               const std::string& where) {
  const Metadata* digest = entry.Find("oid");
  if (digest == nullptr || !digest->is_string() || !IsHex(*digest->string(), digits))
    return Wrong(where + ".oid", digest, std::to_string(digits) + " lower-case hexadecimal digits");
  return std::string(*digest->string());
}

// An entry that is a file; nothing for a directory.
Result<std::optional<HubFile>> ReadEntry(const Metadata& entry, const std::string& where) {
  if (!entry.is_object()) return Wrong(where, &entry, "an object");
  const Metadata* type = entry.Find("type");
  if (type == nullptr || !type->is_string())
    return Wrong(where + ".type", type, "\"file\" or \"directory\"");
  if (type->string() != "file") return std::optional<HubFile>();
  const Metadata* path = entry.Find("path");
  if (path == nullptr || !path->is_string() || !IsHubPath(*path->string()))
    return Wrong(where + ".path", path, "a path below the repository's folder");
  HubFile file{.path = std::string(*path->string()), .checksum = {}};
  HADAL_ASSIGN_OR_RETURN(file.bytes, ReadSize(entry, where));
  if (const Metadata* large = entry.FindNonNull("lfs")) {
    if (!large->is_object()) return Wrong(where + ".lfs", large, "an object");
    HADAL_ASSIGN_OR_RETURN(const std::uint64_t bytes, ReadSize(*large, where + ".lfs"));
    if (bytes != file.bytes)
      return Wrong(where + ".lfs.size", large->Find("size"),
                   std::to_string(file.bytes) + ", the file's size");
    HADAL_ASSIGN_OR_RETURN(file.checksum, ReadDigest(*large, 64, where + ".lfs"));
  } else if (entry.FindNonNull("oid") != nullptr) {
    HADAL_ASSIGN_OR_RETURN(file.checksum, ReadDigest(entry, 40, where));
  }
  return std::optional<HubFile>(std::move(file));
}

}  // namespace

Result<std::vector<HubFile>> ParseFileList(std::string_view json, const std::string& where) {
  if (json.size() > kMostListBytes)
    return Unusable(where, std::to_string(json.size()) + " bytes",
                    "at most " + std::to_string(kMostListBytes), kHint);
  HADAL_ASSIGN_OR_RETURN(const MetadataDocument document, ParseJson(json, where, kLimits));
  if (!document.root().is_array()) return Wrong(where, &document.root(), "a list of files");
  std::vector<HubFile> files;
  std::set<std::string> paths;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < document.root().items().size(); ++i) {
    const std::string at = where + "[" + std::to_string(i) + "]";
    HADAL_ASSIGN_OR_RETURN(auto file, ReadEntry(document.root().items()[i], at));
    if (!file) continue;
    if (!paths.insert(file->path).second)
      return Unusable(at + ".path", file->path + " twice", "each file once", kHint);
    const auto sum = CheckedAdd(all, file->bytes);
    if (!sum || *sum > kMostFileBytes)
      return Unusable(at + ".size", "more than a pebibyte in all", "a model's files", kHint);
    all = *sum;
    files.push_back(*std::move(file));
  }
  return files;
}

}  // namespace hadal
