// Reads what Linux says in /proc; other systems answer zero until they get a file of their own.
#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "base/control_groups.h"
#include "base/process_memory.h"

namespace hadal {
namespace {

// The number of kilobytes behind a key of a "Key:   123 kB" file, in bytes; 0 where it is absent.
std::uint64_t KilobytesField(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    std::uint64_t kilobytes = 0;
    if (word == key && file >> kilobytes) return kilobytes * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

}  // namespace

ProcessMemory MeasureProcessMemory() {
  constexpr const char* kStatus = "/proc/self/status";
  return {KilobytesField(kStatus, "RssAnon:"), KilobytesField(kStatus, "RssFile:")};
}

std::uint64_t AvailableMemoryBytes() {
  std::uint64_t available = KilobytesField("/proc/meminfo", "MemAvailable:");
  if (const auto left = GroupMemoryLeft()) available = std::min(available, *left);
  return available;
}

}  // namespace hadal
