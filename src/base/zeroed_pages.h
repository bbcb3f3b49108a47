// Large blocks of zeroed memory whose pages are there when the call returns: memory that is
// promised and not there ends a process later, in the middle of an answer.
#pragma once

#include <cstdint>

namespace hadal {

// Below this, plain allocation is as fast.
inline constexpr std::uint64_t kLargeBlockBytes = 4 << 20;

// Zeroed, page-aligned memory; nullptr where there is no room. In huge pages where the system has
// plenty of them free: with a quarter of a gigabyte that is a fifth of the time, and the addresses
// are found faster later. Looking for free ones would take longer than small pages do, so none are
// asked for then. Any thread.
void* TakeZeroedPages(std::uint64_t bytes) noexcept;
void FreeZeroedPages(void* pages, std::uint64_t bytes) noexcept;

// Bytes of free huge pages that a table of the form of Linux's /proc/buddyinfo tells of: counts of
// free blocks of 1, 2, 4, ... small pages, a line for each zone. 0 where it cannot be read.
std::uint64_t FreeHugeBytes(const char* table, std::uint64_t page_bytes, std::uint64_t huge_bytes);

}  // namespace hadal
