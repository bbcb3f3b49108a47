#include <cstdint>

#include "base/check.h"
#include "formats/shard_index.h"

namespace {

// Shards that hold exactly what the index promises.
std::vector<hadal::TensorInfo> AsPromised(const hadal::ShardIndex& index) {
  std::vector<hadal::TensorInfo> tensors;
  for (const auto& [name, file] : index.tensors) {
    HADAL_CHECK(file >= 0 && static_cast<std::size_t>(file) < index.files.size(),
                "every tensor has a file");
    tensors.emplace_back();
    tensors.back().name = name;
    tensors.back().file = file;
  }
  return tensors;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto index = hadal::ParseShardIndex(text, "fuzz");
  (void)index.status().ToString();
  if (!index.ok()) return 0;
  for (const std::string& file : index->files)
    HADAL_CHECK(file.find('/') == std::string::npos, "no file outside the directory");
  std::vector<hadal::TensorInfo> tensors = AsPromised(*index);
  HADAL_CHECK(hadal::CheckAgainstIndex(*index, tensors, "fuzz").ok(), "what was promised is there");
  tensors.push_back(tensors.back());
  HADAL_CHECK(!hadal::CheckAgainstIndex(*index, tensors, "fuzz").ok(), "twice is refused");
  tensors.resize(tensors.size() - 2);
  HADAL_CHECK(!hadal::CheckAgainstIndex(*index, tensors, "fuzz").ok(), "a lack is refused");
  return 0;
}
