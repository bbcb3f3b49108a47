#include "formats/shards.h"

#include "formats/safetensors.h"
#include "formats/shard_index.h"

namespace hadal {
namespace {

constexpr char kSingle[] = "model.safetensors";
constexpr char kIndex[] = "model.safetensors.index.json";

Result<TensorFiles> OpenIndexed(const std::string& directory) {
  const std::string index_path = directory + "/" + kIndex;
  HADAL_ASSIGN_OR_RETURN(const std::string json, ReadFile(index_path));
  HADAL_ASSIGN_OR_RETURN(const ShardIndex index, ParseShardIndex(json, index_path));
  TensorFiles all;
  for (const std::string& name : index.files) {
    const std::string path = directory + "/" + name;
    if (!FileExists(path))
      return Unusable(path, "no such file", "a shard that " + std::string(kIndex) + " lists",
                      "fetch the missing shard");
    HADAL_ASSIGN_OR_RETURN(TensorFiles one, OpenSafetensors(path));
    for (TensorInfo& tensor : one.tensors) {
      tensor.file = static_cast<int>(all.files.size());
      all.tensors.push_back(std::move(tensor));
    }
    all.files.push_back(std::move(one.files.front()));
  }
  HADAL_RETURN_IF_ERROR(CheckAgainstIndex(index, all.tensors, index_path));
  return all;
}

}  // namespace

Result<TensorFiles> OpenSafetensors(const std::string& path) {
  HADAL_ASSIGN_OR_RETURN(auto file, MappedFile::Open(path));
  HADAL_ASSIGN_OR_RETURN(SafetensorsHeader header,
                         ParseSafetensors(file->bytes(), file->bytes().size(), path));
  TensorFiles result;
  result.files.push_back(std::move(file));
  result.tensors = std::move(header.tensors);
  return result;
}

Result<TensorFiles> OpenShards(const std::string& directory) {
  if (FileExists(directory + "/" + kSingle)) return OpenSafetensors(directory + "/" + kSingle);
  if (FileExists(directory + "/" + kIndex)) return OpenIndexed(directory);
  const bool pickle = FileExists(directory + "/pytorch_model.bin") ||
                      FileExists(directory + "/pytorch_model.bin.index.json");
  return Unusable(directory, pickle ? "weights in pytorch_model.bin" : "no weights",
                  std::string(kSingle) + " or " + kIndex,
                  pickle ? "only safetensors and GGUF are read; fetch the model in one of them"
                         : "name the directory of a downloaded model, or a .gguf file");
}

}  // namespace hadal
