// Processors on whose vectors no tiles are emulated.
#include "kernels/test_emulated.h"

namespace hadal {

std::vector<EmulatedLevel> EmulatedLevels() { return {}; }
KernelTable TableOf(const EmulatedLevel& level) { return MakeKernelTable(level.vectors); }
std::unique_ptr<Ops> MakeEmulatedOps(std::string_view, Profile, int) { return nullptr; }

}  // namespace hadal
