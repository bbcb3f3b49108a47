// Memory for a kernel's intermediates, one piece a thread, kept for the next job.
#pragma once

#include <cstddef>

namespace hadal {

// At least `bytes` bytes, 64-byte aligned, this thread's own until its next call. Never fails: a
// machine without room for a few hundred KiB ends the process.
std::byte* ThreadScratch(std::size_t bytes) noexcept;

}  // namespace hadal
