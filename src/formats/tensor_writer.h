// Writing a file of tensors: the layout is made first, from names, types and shapes alone, so that
// its size is known before a byte is written; then the data follows in the layout's order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "tensor/tensor_info.h"

namespace hadal {

// Made by SafetensorsLayout (safetensors_writer.h) or GgufLayout (gguf_writer.h).
struct TensorFileLayout {
  std::string header;               // everything before the data
  std::vector<TensorInfo> tensors;  // in the order in which their data is written
  std::uint64_t file_bytes = 0;
};

// Writes one file. It appears under its name when Finish succeeds, and not at all before. Used by
// one thread. Errors: kFailed where the file system refuses.
class TensorFileWriter {
 public:
  static Result<TensorFileWriter> Create(const std::string& path, TensorFileLayout layout);

  const std::vector<TensorInfo>& tensors() const { return layout_.tensors; }

  // The next bytes of the tensor in turn; a piece never crosses from one tensor into the next.
  Status Append(ByteSpan bytes);
  // After the last byte of the last tensor.
  Status Finish();

 private:
  TensorFileWriter(AtomicFile file, TensorFileLayout layout)
      : file_(std::move(file)), layout_(std::move(layout)) {}
  Status PadTo(std::uint64_t offset_bytes);

  AtomicFile file_;
  TensorFileLayout layout_;
  std::size_t turn_ = 0;  // the tensor whose bytes come next
};

}  // namespace hadal
