// mmap is POSIX; what is said about huge pages and about filling is Linux's.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "base/bytes.h"
#include "base/zeroed_pages.h"

namespace hadal {
namespace {

constexpr std::uint64_t kHugeBytes = 2 << 20;  // x86-64, and arm64 with pages of 4 KB

#if defined(__linux__)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

// Half of the free ones stay for others, and for the next block.
bool HugePagesArePlenty(std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return FreeHugeBytes("/proc/buddyinfo", page, kHugeBytes) / 2 >= bytes;
}

// False where there is no memory left.
bool Fill(void* pages, std::uint64_t bytes) {
  if (HugePagesArePlenty(bytes)) ::madvise(pages, bytes, MADV_HUGEPAGE);  // a wish
  if (::madvise(pages, bytes, MADV_POPULATE_WRITE) == 0) return true;
  if (errno == ENOMEM) return false;
  std::memset(pages, 0, bytes);  // an older kernel
  return true;
}
#else
bool Fill(void* pages, std::uint64_t bytes) {
  std::memset(pages, 0, bytes);
  return true;
}
#endif

// Of blocks that begin at a huge page's place, all but the end can be of huge pages.
struct Mapping {
  std::byte* begin;
  std::uint64_t before, after;  // bytes mapped around the block, to be given back
};

Mapping AlignIn(std::byte* mapped) {
  const auto address = reinterpret_cast<std::uintptr_t>(mapped);
  const std::uint64_t before = RoundUp(address, kHugeBytes) - address;
  return {mapped + before, before, kHugeBytes - before};
}

}  // namespace

std::uint64_t FreeHugeBytes(const char* table, std::uint64_t page_bytes, std::uint64_t huge_bytes) {
  std::ifstream file(table);
  std::uint64_t total = 0;
  for (std::string line; std::getline(file, line);) {
    // "Node 0, zone   Normal   7721   3934 ..."
    std::istringstream words(line);
    std::string node, number, zone, name;
    words >> node >> number >> zone >> name;
    std::uint64_t block = page_bytes, count = 0;
    for (; words >> count; block *= 2)
      if (block >= huge_bytes) total += count * block;
  }
  return total;
}

void* TakeZeroedPages(std::uint64_t bytes) noexcept {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t size = RoundUp(bytes, page);
  if (bytes == 0 || size < bytes || size + kHugeBytes < size) return nullptr;
  void* mapped = ::mmap(nullptr, size + kHugeBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const Mapping block = AlignIn(static_cast<std::byte*>(mapped));
  if (block.before > 0) ::munmap(mapped, block.before);
  if (block.after > 0) ::munmap(block.begin + size, block.after);
  if (Fill(block.begin, size)) return block.begin;
  ::munmap(block.begin, size);
  return nullptr;
}

void FreeZeroedPages(void* pages, std::uint64_t bytes) noexcept {
  ::munmap(pages, RoundUp(bytes, static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))));
}

}  // namespace hadal
