#include "formats/shard_index.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "formats/layout.h"

namespace hadal {
namespace {

constexpr int kDepth = 8;  // two levels occur

// A file of the directory itself: an index must not reach outside it.
Status CheckShardName(std::string_view name, const std::string& where) {
  HADAL_RETURN_IF_ERROR(CheckName(name, where));
  const bool plain = name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos &&
                     name != "." && name != "..";
  if (!plain)
    return Unusable(where, "the file " + Quoted(name), "a plain name inside the model's directory",
                    "the index is damaged or hostile");
  if (!name.ends_with(".safetensors"))
    return Unusable(where, "the file " + Quoted(name), "a file that ends in .safetensors",
                    "the index is damaged, or lists weights of another format; fetch it again");
  return {};
}

// (name, index) pairs of a shard set, in the order of names.
std::vector<std::pair<std::string_view, int>> ByName(std::span<const TensorInfo> tensors) {
  std::vector<std::pair<std::string_view, int>> names;
  names.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors) names.emplace_back(tensor.name, tensor.file);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<ShardIndex> ParseShardIndex(std::string_view json, const std::string& where) {
  HADAL_ASSIGN_OR_RETURN(const MetadataDocument document,
                         ParseJson(json, where, {.max_depth = kDepth}));
  const Metadata* map = document.root().Find("weight_map");
  if (map == nullptr || !map->is_object() || map->members().empty())
    return Unusable(where, map == nullptr ? "no \"weight_map\"" : "weight_map: " + map->Describe(),
                    "\"weight_map\" with the file of each tensor",
                    "the index is damaged; fetch it again");
  ShardIndex index;
  std::map<std::string_view, int> files;
  for (const Metadata::Member& member : map->members()) {
    HADAL_RETURN_IF_ERROR(CheckName(member.key, where));
    const auto file = member.value.string();
    if (!file)
      return Unusable(where + ": tensor " + Quoted(member.key), member.value.Describe(),
                      "the name of its file", "the index is damaged; fetch it again");
    HADAL_RETURN_IF_ERROR(CheckShardName(*file, where));
    files.emplace(*file, 0);
  }
  for (auto& [name, number] : files) {
    number = static_cast<int>(index.files.size());
    index.files.emplace_back(name);
  }
  for (const Metadata::Member& member : map->members())
    index.tensors.emplace_back(member.key, files.find(*member.value.string())->second);
  std::sort(index.tensors.begin(), index.tensors.end());
  for (std::size_t i = 1; i < index.tensors.size(); ++i)
    if (index.tensors[i].first == index.tensors[i - 1].first)
      return Unusable(where, "the tensor " + Quoted(index.tensors[i].first) + " twice",
                      "names that differ", "the index is damaged; fetch it again");
  return index;
}

Status CheckAgainstIndex(const ShardIndex& index, std::span<const TensorInfo> tensors,
                         const std::string& where) {
  const auto held = ByName(tensors);
  for (std::size_t i = 1; i < held.size(); ++i)
    if (held[i].first == held[i - 1].first)
      return Unusable(where,
                      "tensor " + Quoted(held[i].first) + " in two shards, " +
                          index.files[held[i - 1].second] + " and " + index.files[held[i].second],
                      "each tensor in one shard", "are shards of two models mixed?");
  for (const auto& [name, file] : index.tensors) {
    const auto at = std::lower_bound(held.begin(), held.end(), std::string_view(name),
                                     [](const auto& a, std::string_view b) { return a.first < b; });
    if (at == held.end() || at->first != name || at->second != file)
      return Unusable(where, "no tensor " + Quoted(name) + " in " + index.files[file],
                      "what the index lists", "are shards of two models mixed?");
  }
  return {};
}

}  // namespace hadal
