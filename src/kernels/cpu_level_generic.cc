// Processors for which we have no level but `ref`.
#include "kernels/cpu_level.h"

namespace hadal {

std::uint32_t DetectCpuFeatures() { return 0; }

}  // namespace hadal
