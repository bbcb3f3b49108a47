// The shapes of published models, as the config.json that their vendors ship with them.
//
// Values: architectures.md sections 6.2 and 8.1 (the vendors' configurations); Qwen2-1.5B,
// Qwen2.5-7B and Llama 3.1 8B from their published config.json.
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

struct ShapeRequest {
  std::string shape;  // "v3"
  SynthFormat format = SynthFormat::kBf16;
  std::int64_t layers = 0;   // the first so many; 0: all
  std::int64_t experts = 0;  // routed experts of a layer; 0: as published
  bool draft = false;        // with its multi-token prediction layer
};

// "v2-lite", "v3", ...: what ShapeConfig knows, in the order of the table.
std::vector<std::string_view> ShapeNames();

// The format that the vendor publishes. kUsage for a shape that is not known.
Result<SynthFormat> VendorFormat(const std::string& shape);

// The config.json of a shape; quantization_config says the format where it is one of safetensors'.
// kUsage for a shape that is not known, more layers than it has, a draft layer that it lacks, and
// experts for a model without any.
Result<MetadataDocument> ShapeConfig(const ShapeRequest& request);

}  // namespace hadal
