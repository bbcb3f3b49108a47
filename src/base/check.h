// HADAL_CHECK: an invariant of our own. It names the broken rule and ends the process; it is never
// used for what comes from a file, a user or the network (that is Status, status.h).
#pragma once

namespace hadal {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const char* reason) noexcept;

}  // namespace hadal

#define HADAL_CHECK(condition, reason)                              \
  do {                                                              \
    if (!(condition)) [[unlikely]]                                  \
      ::hadal::CheckFailed(__FILE__, __LINE__, #condition, reason); \
  } while (false)

#ifdef NDEBUG
#define HADAL_DCHECK(condition, reason) \
  do {                                  \
  } while (false)
#else
#define HADAL_DCHECK(condition, reason) HADAL_CHECK(condition, reason)
#endif
