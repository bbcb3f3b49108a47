// model.safetensors.index.json: which file of a directory holds which tensor, as
// {"weight_map": {"TENSOR": "FILE"}}.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tensor/tensor_info.h"

namespace hadal {

struct ShardIndex {
  std::vector<std::string> files;                    // plain names, sorted, each once
  std::vector<std::pair<std::string, int>> tensors;  // name and index into `files`, sorted by name
};

// Parses the index; `where` names it in messages. A file outside the directory, a tensor twice and
// an index without tensors are errors.
Result<ShardIndex> ParseShardIndex(std::string_view json, const std::string& where);

// Compares what the index promises with what the shards hold (`file` of each tensor is an index
// into the index's files). A tensor in two shards, and one that its shard lacks, are errors; one
// that a shard holds beyond the index is none.
Status CheckAgainstIndex(const ShardIndex& index, std::span<const TensorInfo> tensors,
                         const std::string& where);

}  // namespace hadal
