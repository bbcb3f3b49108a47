#include "kernels/cpu_level.h"

#include "base/check.h"

namespace hadal {
namespace {

constexpr std::uint32_t kAvx2Set = kCpuAvx2 | kCpuFma | kCpuF16c;
constexpr std::uint32_t kAvx512Set =
    kAvx2Set | kCpuAvx512F | kCpuAvx512Bw | kCpuAvx512Dq | kCpuAvx512Vl;
constexpr std::uint32_t kAvx512Bf16Set = kAvx512Set | kCpuAvx512Vnni | kCpuAvx512Bf16;
constexpr std::uint32_t kAmxSet = kCpuAmxTile | kCpuAmxInt8 | kCpuAmxBf16;

constexpr CpuLevelInfo kLevels[] = {
    {CpuLevel::kRef, "ref", 0},
    {CpuLevel::kAvx2, "avx2", kAvx2Set},
    {CpuLevel::kAvx512, "avx512", kAvx512Set},
    {CpuLevel::kAvx512Vnni, "avx512_vnni", kAvx512Set | kCpuAvx512Vnni},
    {CpuLevel::kAvx512Bf16, "avx512_bf16", kAvx512Bf16Set},
    {CpuLevel::kAmx, "amx", kAvx512Bf16Set | kAmxSet},
};

std::string NamesOf(std::uint32_t features) {
  std::string names;
  for (const CpuLevelInfo& info : kLevels) {
    if (!Supports(features, info.level)) continue;
    if (!names.empty()) names += ", ";
    names += info.name;
  }
  return names;
}

}  // namespace

std::span<const CpuLevelInfo> AllCpuLevels() { return kLevels; }

const CpuLevelInfo& Info(CpuLevel level) {
  for (const CpuLevelInfo& info : kLevels)
    if (info.level == level) return info;
  HADAL_CHECK(false, "a level without a row in the table");
}

bool Supports(std::uint32_t features, CpuLevel level) {
  const std::uint32_t required = Info(level).required;
  return (features & required) == required;
}

Result<CpuLevel> ChooseCpuLevel(std::uint32_t features, std::string_view name) {
  if (name.empty()) {
    CpuLevel best = CpuLevel::kRef;
    for (const CpuLevelInfo& info : kLevels)
      if (Supports(features, info.level)) best = info.level;
    return best;
  }
  for (const CpuLevelInfo& info : kLevels) {
    if (info.name != name) continue;
    if (Supports(features, info.level)) return info.level;
    return Unsupported("--isa", std::string(name) + ", which this processor lacks",
                       "one of: " + NamesOf(features), "leave the option out for the best level");
  }
  return UsageError("--isa", std::string(name), "one of: " + NamesOf(features),
                    "leave the option out for the best level");
}

}  // namespace hadal
