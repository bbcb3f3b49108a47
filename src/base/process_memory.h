// What memory this process really holds, for comparison with what was predicted.
#pragma once

#include <cstdint>

namespace hadal {

// Resident now. Anonymous: heap and stacks. File: mapped files. Zero where the system does not say.
struct ProcessMemory {
  std::uint64_t anonymous_bytes = 0;
  std::uint64_t file_bytes = 0;
};
ProcessMemory MeasureProcessMemory();

// Memory that a new allocation could still get without swapping; 0 where unknown. The container's
// limit counts.
std::uint64_t AvailableMemoryBytes();

}  // namespace hadal
