// GGUF: the header of one file, version 2 and 3.
//
// Format (ggml-org/ggml, docs/gguf.md), little-endian: "GGUF", version u32, tensor count u64, pair
// count u64; pairs of key, type u32, value; tensors of name, rank u32, dimensions u64 (the fastest
// first), type u32, offset u64 from the data's start, which is the header's end rounded up to
// general.alignment (32 where absent). Strings are a u64 length and bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/metadata.h"
#include "base/status.h"
#include "tensor/tensor_info.h"

namespace hadal {

// The types of metadata values, numbered as in the file.
enum class GgufValueType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

constexpr std::uint64_t kGgufDefaultAlignment = 32;

struct GgufHeader {
  std::uint32_t version = 0;
  std::uint64_t alignment_bytes = kGgufDefaultAlignment;
  std::uint64_t data_begin_bytes = 0;
  // An object whose keys are the full dotted ones ("general.architecture",
  // "tokenizer.ggml.tokens"); its strings are views into the bytes that were parsed.
  MetadataDocument metadata;
  std::vector<TensorInfo> tensors;  // by offset; shapes row-major ([out, in]), GGUF's reversed
};

// Parses and checks the header. `head` is the file's bytes, or as many of its first as hold the
// header; `file_bytes` is the length of the whole file; `where` names it in messages; `storage`
// keeps `head` alive for the strings of the metadata. The data is never read. Space between tensors
// is allowed, as alignment makes some. A file without tensors (a vocabulary) is valid.
// Errors: kUnusable for a broken file, kUnsupported for version 1, big-endian files, and number
// formats that are known and not read.
Result<GgufHeader> ParseGguf(ByteSpan head, std::uint64_t file_bytes, const std::string& where,
                             std::shared_ptr<const void> storage);

}  // namespace hadal
