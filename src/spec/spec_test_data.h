// What the tests of `spec` share: configs as published (architectures.md section 8), and headers of
// the shared goldens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "spec/model_spec.h"
#include "tensor/tensor_info.h"

namespace hadal {

// The text of config.json of a published model: "v2-lite", "v2", "v3", "v3.2", "moonlight",
// "kimi-k2", "v4-flash", "v4-pro", "v4.1-flash", "qwen-1.5b", "qwen-7b", "qwen-14b", "qwen-32b",
// "llama-8b", "llama-70b", "smollm2-135m", "smollm2-360m", "smollm2-1.7b".
std::string PublishedConfig(std::string_view name);

// Parses a config that must be right.
ModelSpec SpecOf(const std::string& config_text);

// `text` with the value of a top-level key replaced by JSON text (or added; "" removes it).
std::string WithField(const std::string& text, std::string_view key, std::string_view json);

// config.json of a folder.
std::string ConfigOf(const std::string& folder);

// The tensors of all safetensors files of a folder but the expected outputs, from their headers.
std::vector<TensorInfo> TensorsOf(const std::string& folder);

}  // namespace hadal
