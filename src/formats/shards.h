// A directory of safetensors: one `model.safetensors`, or several files that
// `model.safetensors.index.json` lists (shard_index.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "tensor/tensor_info.h"

namespace hadal {

struct TensorFiles {
  std::vector<std::shared_ptr<const MappedFile>> files;
  std::vector<TensorInfo> tensors;  // `file` is an index into `files`; by file, then by offset
};

// Maps one safetensors file and parses its header.
Result<TensorFiles> OpenSafetensors(const std::string& path);

// Opens what a directory holds. `model.safetensors` goes before an index, as with the vendors'
// loaders. A missing shard, a tensor that is listed and absent from its shard, and a tensor in two
// shards are errors; one that a shard holds beyond the index is taken as it is.
Result<TensorFiles> OpenShards(const std::string& directory);

}  // namespace hadal
