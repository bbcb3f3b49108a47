#include "kernels/test_emulated.h"

#include "kernels/cpu_ops_class.h"
#include "kernels/matmul/test_tiles.h"

namespace hadal {
namespace {

void FillAvx2(MatMulTable* table) {
  FillInt8EmulatedAvx2(table);
  FillBf16EmulatedAvx2(table);
}
void FillAvx512(MatMulTable* table) {
  FillInt8EmulatedAvx512(table);
  FillBf16EmulatedAvx512(table);
}

constexpr EmulatedLevel kLevels[] = {
    {"amx_emulated_on_avx2", CpuLevel::kAvx2, FillAvx2},
    {"amx_emulated_on_avx512", CpuLevel::kAvx512, FillAvx512},
};

class EmulatedOps final : public CpuOps {
 public:
  EmulatedOps(const EmulatedLevel& level, Profile profile, int threads)
      : CpuOps(level.vectors, profile, threads), name_(level.name) {
    kernels_ = TableOf(level);
  }
  std::string_view level() const override { return name_; }

 private:
  std::string_view name_;
};

}  // namespace

std::vector<EmulatedLevel> EmulatedLevels() {
  std::vector<EmulatedLevel> levels;
  for (const EmulatedLevel& level : kLevels)
    if (Supports(DetectCpuFeatures(), level.vectors)) levels.push_back(level);
  return levels;
}

KernelTable TableOf(const EmulatedLevel& level) {
  KernelTable table = MakeKernelTable(level.vectors);
  level.fill(&table.matmul);
  return table;
}

std::unique_ptr<Ops> MakeEmulatedOps(std::string_view name, Profile profile, int threads) {
  for (const EmulatedLevel& level : EmulatedLevels())
    if (level.name == name) return std::make_unique<EmulatedOps>(level, profile, threads);
  return nullptr;
}

}  // namespace hadal
