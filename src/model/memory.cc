#include "model/memory.h"

#include <algorithm>

#include "model/build_layer.h"
#include "spec/cache_parts.h"

namespace hadal {

CacheLayout MakeCacheLayout(const ModelSpec& spec, Profile profile) {
  CacheLayout layout;
  for (const CachePart& part : CacheParts(spec))
    layout.push_back({part.dtype_of(profile), part.width});
  return layout;
}

std::uint64_t LayoutBytesPerToken(const CacheLayout& layout) {
  std::uint64_t bytes = 0;
  for (const CachePartLayout& part : layout) bytes += part.page_bytes() / kPageTokens;
  return bytes;
}

std::uint64_t StepScratchBytes(const ModelSpec& spec, std::int64_t rows) {
  const std::int64_t angles = spec.ropes.empty() ? 0 : spec.ropes.front().width / 2;
  const std::uint64_t shared = Scratch::Bytes(rows, spec.hidden) + 2 * Scratch::Bytes(rows, angles);
  // The rows of the head come after the layers, in the same place.
  return shared + std::max(LayerScratchBytes(spec, rows), Scratch::Bytes(rows, spec.hidden));
}

}  // namespace hadal
