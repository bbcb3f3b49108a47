// TokenFilter: which tokens a sampler may choose. A mask says it of all at once; what depends on
// the token's own text is asked of the one that was drawn, and another is drawn where it is
// refused.
#pragma once

#include <cstdint>
#include <span>

namespace hadal {

class TokenFilter {
 public:
  virtual ~TokenFilter() = default;
  // Bit `id`: token `id` may be chosen. Empty: every token may.
  virtual std::span<const std::uint64_t> mask() const = 0;
  virtual bool Admits(std::int32_t token) = 0;
};

}  // namespace hadal
