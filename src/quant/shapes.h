// The shapes of published models, as the config.json that their vendors ship with them.
//
// Values: architectures.md sections 6.2, 8.1 and 8.2 (the vendors' configurations); Qwen2-1.5B,
// Qwen2.5-7B and Llama 3.1 8B from their published config.json. "tiny" and "tiny-v3" are nobody's:
// a llama and a mixture of experts of a few hundred kilobytes that can chat, think and call tools,
// for tests of what stands around a model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "base/status.h"

namespace hadal {

// How a checkpoint stores its matrices.
enum class SynthFormat : std::uint8_t { kBf16, kFp8, kMxfp4, kNvfp4, kQ8_0, kQ4_0 };
std::string_view Name(SynthFormat format);

// The Engram tables of V4.1 (architectures.md 5.7). Which layers have one, and how many rows,
// follows from what is asked and from the tokenizer; the rest is as published.
struct EngramShape {
  std::vector<std::int64_t> layers = {1, 14};
  std::vector<std::int64_t> rows = {384006168, 384016682};
  std::int64_t longest_ngram = 4, heads = 8, head_dim = 256;
  std::int64_t hash_vocabulary = 16000000, compressed_vocabulary = 99092, pad_token = 2;
};

struct ShapeRequest {
  std::string shape;  // "v3"
  SynthFormat format = SynthFormat::kBf16;
  std::int64_t layers = 0;   // the first so many; 0: all
  std::int64_t experts = 0;  // routed experts of a layer; 0: as published
  bool draft = false;        // with its multi-token prediction layer
  EngramShape engram = {};   // v4.1-flash
};

// "v2-lite", "v3", ...: what ShapeConfig knows, in the order of the table.
std::vector<std::string_view> ShapeNames();

// The prompt format that a checkpoint of this shape comes with, by name; empty: none. The published
// shapes have none, since their tokenizers are not theirs.
std::string ShapePromptFormat(const std::string& shape);

// The number format that the vendor publishes. kUsage for a shape that is not known.
Result<SynthFormat> VendorFormat(const std::string& shape);

// The config.json of a shape; quantization_config says the format where it is one of safetensors'.
// kUsage for a shape that is not known, more layers than it has, a draft layer that it lacks, and
// experts for a model without any.
Result<MetadataDocument> ShapeConfig(const ShapeRequest& request);

}  // namespace hadal
