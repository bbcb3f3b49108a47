#include "engine/fingerprint.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "formats/hash.h"

namespace hadal {
namespace {

// Raised when rows of an unchanged checkpoint come out differently.
constexpr int kContentVersion = 1;
constexpr std::size_t kHashedBytes = 1 << 20;

Result<std::string> DescribeFile(const std::string& path) {
  std::error_code failure;
  const auto changed = std::filesystem::last_write_time(path, failure);
  if (failure)
    return Unusable(path, failure.message(), "a file of the checkpoint", "is it still there?");
  HADAL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  const ByteSpan bytes = file->bytes();
  return std::filesystem::path(path).filename().string() + " " + std::to_string(bytes.size()) +
         " " + std::to_string(changed.time_since_epoch().count()) + " " +
         Sha256(bytes.first(std::min(bytes.size(), kHashedBytes))) + "\n";
}

}  // namespace

Result<std::string> CacheFingerprint(const Checkpoint& checkpoint, const std::string& profile,
                                     bool draft_layers) {
  std::vector<std::string> paths;
  for (const auto& file : checkpoint.files()) paths.push_back(file->path());
  for (const char* name : {"config.json", "tokenizer.json"})
    if (auto path = checkpoint.SideFile(name)) paths.push_back(*std::move(path));
  std::sort(paths.begin(), paths.end());
  std::string all = "content " + std::to_string(kContentVersion) + "\nprofile " + profile +
                    (draft_layers ? "\ndraft layers\n" : "\n");
  for (const std::string& path : paths) {
    HADAL_ASSIGN_OR_RETURN(const std::string one, DescribeFile(path));
    all += one;
  }
  return Sha256(std::as_bytes(std::span(all)));
}

}  // namespace hadal
