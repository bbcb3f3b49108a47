// Level `amx` on any processor, for tests: its products on emulated tiles, with the vectors that
// there are around them, and the rest of the level whose vectors these are. No program can choose
// it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cpu_level.h"
#include "kernels/kernel_table.h"
#include "numeric/profile.h"
#include "ops/ops.h"

namespace hadal {

struct EmulatedLevel {
  std::string_view name;
  CpuLevel vectors = CpuLevel::kRef;
  void (*fill)(MatMulTable* table) = nullptr;
};

// Those whose vectors this processor has.
std::vector<EmulatedLevel> EmulatedLevels();

KernelTable TableOf(const EmulatedLevel& level);

// Operations of one of them, in profile `float` or `fast`; null where no level has this name.
std::unique_ptr<Ops> MakeEmulatedOps(std::string_view name, Profile profile, int threads);

}  // namespace hadal
