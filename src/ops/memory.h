// Memory: where a table of operations keeps what it works on. The host's is plain memory; a
// device's is its own, and Fetch is the only point that waits for it.
#pragma once

#include <cstdint>

#include "tensor/view.h"

namespace hadal {

class Memory {
 public:
  virtual ~Memory() = default;

  // 64-byte aligned, zeroed bytes as a view U8 [bytes]. An empty view where there is no room.
  virtual View Allocate(std::uint64_t bytes) noexcept = 0;
  virtual void Free(const View& view) noexcept = 0;
  // A host address with the contents of a dense view; waits for the device. Valid until the next
  // operation that writes to the view.
  virtual const void* Fetch(const View& view) noexcept = 0;
  // Writes from the host into a dense view: small inputs, injected values, copied pages.
  virtual void Put(const View& view, const void* from, std::uint64_t bytes) noexcept = 0;
};

}  // namespace hadal
