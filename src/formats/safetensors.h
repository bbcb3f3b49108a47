// The header of one safetensors file: which tensors it holds and where.
//
// Format (huggingface/safetensors, README): the header's length as u64, a JSON object
// {"NAME": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [begin, end]}, "__metadata__":
// {...}}, then the data; offsets count from the end of the header, and the data has no holes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/metadata.h"
#include "base/status.h"
#include "tensor/tensor_info.h"

namespace hadal {

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;  // by offset; `file` is 0, offsets count from the file's start
  MetadataDocument document;        // the whole JSON header, owning its strings
  const Metadata* metadata() const { return document.root().FindNonNull("__metadata__"); }
};

// Parses and checks the header. `head` is the file's bytes, or as many of its first as hold the
// header; `file_bytes` is the length of the whole file; `where` names it in messages. The data is
// never read. Errors: kUnusable for a broken file, kUnsupported for a dtype that is known and not
// read.
Result<SafetensorsHeader> ParseSafetensors(ByteSpan head, std::uint64_t file_bytes,
                                           const std::string& where);

}  // namespace hadal
