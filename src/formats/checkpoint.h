// Checkpoint: named tensors on disk and the configuration that came with them.
//
// Opens a directory as the vendors publish it (config.json and safetensors, one file or shards), a
// .gguf file or a directory without config.json that holds just one, or one .safetensors file
// without a configuration. Files are mapped; opening reads the headers only, and Bytes() never
// copies.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/metadata.h"
#include "base/status.h"
#include "formats/shards.h"
#include "spec/container.h"
#include "tensor/tensor_info.h"

namespace hadal {

// Immutable after Open; any thread may read. Views and metadata are valid as long as it lives.
class Checkpoint {
 public:
  // Errors: kUnusable for a file that is missing, broken or contradicts its index; kUnsupported for
  // one that is well-formed and holds what is never read (formats/gguf.h, formats/safetensors.h).
  static Result<std::shared_ptr<const Checkpoint>> Open(const std::string& path);

  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  const std::string& path() const { return path_; }
  Container container() const { return container_; }
  std::span<const std::shared_ptr<const MappedFile>> files() const { return data_.files; }
  std::uint64_t mapped_bytes() const;

  // By file, then by offset.
  std::span<const TensorInfo> tensors() const { return data_.tensors; }
  const TensorInfo* Find(std::string_view name) const;
  ByteSpan Bytes(const TensorInfo& tensor) const;

  // config.json as it is (a nested text_config stays nested), or the GGUF header as one object with
  // dotted keys; null for a single .safetensors file.
  const Metadata& config() const { return config_.root(); }
  // generation_config.json; null where there is none.
  const Metadata& generation_config() const { return generation_config_.root(); }

  // The path of a file of the directory, such as "tokenizer.json", "tokenizer_config.json" or
  // "tiktoken.model"; nothing where it is absent or the checkpoint is one file.
  std::optional<std::string> SideFile(std::string_view name) const;

 private:
  Checkpoint() = default;
  Status OpenDirectory();
  Status OpenFile();
  Status OpenGguf(std::shared_ptr<const MappedFile> file);

  std::string path_;
  Container container_ = Container::kSafetensors;
  bool directory_ = false;
  TensorFiles data_;
  MetadataDocument config_, generation_config_;
  std::unordered_map<std::string_view, std::size_t> by_name_;  // views into data_.tensors
};

}  // namespace hadal
