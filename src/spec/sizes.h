// How many parameters a model has, from its plan alone. architectures.md section 9.
#pragma once

#include <cstdint>

#include "spec/tensor_plan.h"

namespace hadal {

// Counts saturate. Scales of quantised weights and integer tables are no parameters.
struct ParameterCount {
  std::int64_t total = 0;   // the main model, Engram tables included; tied weights once
  std::int64_t active = 0;  // of them, what one token uses: embedding, head and chosen experts
                            // included, of Engram tables the rows that are read
  std::int64_t engram = 0;  // of total: Engram tables
  std::int64_t draft = 0;   // of draft layers, beside total; copies of embedding and head left out
};
// `tied`: the head is the embedding (CheckedTensors::tied, or ModelSpec::tied without tensors).
ParameterCount CountParameters(const ModelSpec& spec, const TensorPlan& plan, bool tied);

}  // namespace hadal
