// Which ways of storing quantised weights are read, by config.json's `quantization_config`.
#pragma once

#include <string>

#include "base/metadata.h"
#include "base/status.h"

namespace hadal {

// ok for weights as they are, "fp8" (block scales, V4's FP4 experts included) and modelopt's NVFP4;
// kUnsupported for every other method, by name. `config` is config.json; a nested text_config is
// looked at too. `where` names the file.
Status CheckQuantization(const Metadata& config, const std::string& where);

}  // namespace hadal
