// Which tensors a synthetic checkpoint holds: the plan of its spec, each tensor in the number
// format and with the companions (scales) that the vendor's files would have, and how its numbers
// are drawn so that activations stay of order one through any number of layers.
#pragma once

#include <vector>

#include "quant/random_weights.h"
#include "quant/shapes.h"
#include "spec/tensor_plan.h"
#include "tensor/tensor_info.h"

namespace hadal {

struct SynthTensor {
  TensorInfo info;  // name, dtype, shape
  RandomTensor random;
};

// In the plan's order. `spec` and `plan` are of one container; `tied` says that the head is the
// embedding (a GGUF header does not). Not in it: what the vendor's files leave out too, such as the
// head of a tied model or the joined kv_b of a GGUF, and rope_freqs, which is not random.
std::vector<SynthTensor> SynthTensors(const ModelSpec& spec, const TensorPlan& plan,
                                      SynthFormat format, bool tied);

// kUsage where a format does not belong to the container or the model: MXFP4 is for experts.
Status CheckFormat(const ModelSpec& spec, SynthFormat format);

}  // namespace hadal
