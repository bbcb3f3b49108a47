// From ModelSpec and weights to blocks: one row a kind of attention and of feed-forward part.
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "cache/sequence_cache.h"
#include "model/layer.h"
#include "spec/model_spec.h"
#include "store/weight_store.h"

namespace hadal {

// A model's layers, bound to the store's weights. Fails where a tensor cannot be bound.
Result<std::vector<Layer>> BuildLayers(WeightStore& store);

// Scratch bytes of the most demanding layer for a step of `rows` rows, its own two buffers
// included.
std::uint64_t LayerScratchBytes(const ModelSpec& spec, std::int64_t rows);

}  // namespace hadal
