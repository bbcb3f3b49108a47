// Instruction set levels of the CPU kernels: one row of data a level, used by detection, by the
// choice of kernels and by the tests. A level is there if the processor has every feature of its
// row AND the operating system saves the registers that they use.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace hadal {

// Processor features, one bit each. A bit is set only where the operating system's state makes the
// feature usable (XCR0 on x86; for AMX the permission of this process too).
enum CpuFeature : std::uint32_t {
  kCpuAvx2 = 1u << 0,
  kCpuFma = 1u << 1,
  kCpuF16c = 1u << 2,
  kCpuAvx512F = 1u << 3,
  kCpuAvx512Bw = 1u << 4,
  kCpuAvx512Dq = 1u << 5,
  kCpuAvx512Vl = 1u << 6,
  kCpuAvx512Vnni = 1u << 7,
  kCpuAmxTile = 1u << 8,
  kCpuAmxInt8 = 1u << 9,
  kCpuAmxBf16 = 1u << 10,
  kCpuAvx512Bf16 = 1u << 11,
};

// Ascending: a level has everything that the ones before it have.
enum class CpuLevel : std::uint8_t {
  kRef = 0,
  kAvx2 = 1,
  kAvx512 = 2,
  kAvx512Vnni = 3,
  kAvx512Bf16 = 4,
  kAmx = 5,
};

struct CpuLevelInfo {
  CpuLevel level;
  std::string_view name;       // as `--isa` takes it and the start line prints it
  std::uint32_t required = 0;  // CpuFeature bits
};

// Every level, worst first.
std::span<const CpuLevelInfo> AllCpuLevels();
const CpuLevelInfo& Info(CpuLevel level);

// The features of this processor. Where it has AMX, the first call asks for this process's
// permission.
std::uint32_t DetectCpuFeatures();

bool Supports(std::uint32_t features, CpuLevel level);

// The best level that `features` allow, or the one that `name` forces. An unknown or unsupported
// name is an error that lists what this machine has, never another level.
Result<CpuLevel> ChooseCpuLevel(std::uint32_t features, std::string_view name = "");

}  // namespace hadal
