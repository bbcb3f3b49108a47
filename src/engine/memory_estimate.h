// What a running engine will hold beside the files and the cache, predicted from headers.
#pragma once

#include <cstdint>

#include "formats/checkpoint.h"
#include "spec/model_spec.h"
#include "spec/tensor_check.h"

namespace hadal {

struct MemoryEstimate {
  std::uint64_t derived_bytes = 0;  // f32 copies of norms and biases
  std::uint64_t scratch_bytes = 0;  // activations of the largest step, and its logits
  std::uint64_t program_bytes = 0;  // this process with headers and tokenizer, as measured now
};

// Without the program. `spec` is of a model that this version runs.
MemoryEstimate EstimateLoadedMemory(const ModelSpec& spec, const CheckedTensors& tensors,
                                    std::int64_t step_tokens);

// With it: the checkpoint's tokenizer, where there is one, is loaded to be measured.
MemoryEstimate EstimateMemory(const ModelSpec& spec, const CheckedTensors& tensors,
                              const Checkpoint& checkpoint, std::int64_t step_tokens);

}  // namespace hadal
