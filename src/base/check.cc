#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hadal {

void CheckFailed(const char* file, int line, const char* condition, const char* reason) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", file, line, reason, condition);
  std::abort();
}

}  // namespace hadal
