#include "engine/memory_estimate.h"

#include "base/process_memory.h"
#include "engine/language.h"
#include "model/memory.h"

namespace hadal {
namespace {

// Matrices are used where they lie; vectors and small tables become f32 copies.
bool IsCopied(const ExpectedTensor& tensor) {
  switch (tensor.role) {
    case Role::kRopeDivisors:
      return false;
    case Role::kCompressPosition:
    case Role::kIndexCompressPosition:
    case Role::kEngramQNorm:
    case Role::kEngramKNorm:
      return true;
    default:
      return tensor.shape.size() == 1;
  }
}

std::uint64_t DerivedBytes(const CheckedTensors& tensors) {
  std::uint64_t bytes = 0;
  for (const ExpectedTensor& expected : tensors.plan().tensors()) {
    if (expected.draft || !IsCopied(expected)) continue;
    if (tensors.Find(expected.role, expected.layer) != nullptr)
      bytes += static_cast<std::uint64_t>(expected.values()) * sizeof(float);
  }
  return bytes;
}

}  // namespace

MemoryEstimate EstimateLoadedMemory(const ModelSpec& spec, const CheckedTensors& tensors,
                                    std::int64_t step_tokens) {
  MemoryEstimate estimate;
  estimate.derived_bytes = DerivedBytes(tensors);
  if (!spec.engram.layers.empty())  // a compressed id for each token
    estimate.derived_bytes += static_cast<std::uint64_t>(spec.vocabulary) * sizeof(std::int32_t);
  const auto logits = static_cast<std::uint64_t>(spec.vocabulary) * sizeof(float);
  estimate.scratch_bytes = StepScratchBytes(spec, step_tokens) + logits;
  return estimate;
}

MemoryEstimate EstimateMemory(const ModelSpec& spec, const CheckedTensors& tensors,
                              const Checkpoint& checkpoint, std::int64_t step_tokens) {
  MemoryEstimate estimate = EstimateLoadedMemory(spec, tensors, step_tokens);
  const auto tokenizer = TokenizerOf(checkpoint);  // held while the process is measured
  estimate.program_bytes = MeasureProcessMemory().anonymous_bytes;
  return estimate;
}

}  // namespace hadal
