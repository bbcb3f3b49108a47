// Detection on x86-64: Intel SDM volume 1 chapters 14, 15 and 18 (CPUID leaves 1 and 7, XCR0).
#include <cpuid.h>

#include "kernels/cpu_level.h"
#include "kernels/tile_permission.h"

namespace hadal {
namespace {

struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers Cpuid(std::uint32_t leaf, std::uint32_t part = 0) {
  Registers r;
  if (__get_cpuid_count(leaf, part, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return Registers{};
  return r;
}

// Which register files the operating system saves; only readable where OSXSAVE is set.
std::uint32_t ReadXcr0() {
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool Bit(std::uint32_t word, int index) { return ((word >> index) & 1u) != 0; }

}  // namespace

std::uint32_t DetectCpuFeatures() {
  const Registers one = Cpuid(1);
  const Registers seven = Cpuid(7);
  const Registers more = seven.eax >= 1 ? Cpuid(7, 1) : Registers{};
  if (!Bit(one.ecx, 27)) return 0;  // OSXSAVE
  const std::uint32_t xcr0 = ReadXcr0();
  const bool ymm = (xcr0 & 0x06u) == 0x06u;         // SSE and AVX state
  const bool zmm = ymm && (xcr0 & 0xE0u) == 0xE0u;  // opmask, upper halves, registers 16 to 31
  // Shapes and data of tiles.
  const bool tiles = (xcr0 & 0x6'0000u) == 0x6'0000u && Bit(seven.edx, 24) && MayUseTiles();
  const struct {
    CpuFeature feature;
    bool present;
  } found[] = {
      {kCpuAvx2, ymm && Bit(seven.ebx, 5)},
      {kCpuFma, ymm && Bit(one.ecx, 12)},
      {kCpuF16c, ymm && Bit(one.ecx, 29)},
      {kCpuAvx512F, zmm && Bit(seven.ebx, 16)},
      {kCpuAvx512Bw, zmm && Bit(seven.ebx, 30)},
      {kCpuAvx512Dq, zmm && Bit(seven.ebx, 17)},
      {kCpuAvx512Vl, zmm && Bit(seven.ebx, 31)},
      {kCpuAvx512Vnni, zmm && Bit(seven.ecx, 11)},
      {kCpuAmxTile, tiles},
      {kCpuAmxInt8, tiles && Bit(seven.edx, 25)},
      {kCpuAmxBf16, tiles && Bit(seven.edx, 22)},
      {kCpuAvx512Bf16, zmm && Bit(more.eax, 5)},
  };
  std::uint32_t features = 0;
  for (const auto& row : found)
    if (row.present) features |= row.feature;
  return features;
}

}  // namespace hadal
