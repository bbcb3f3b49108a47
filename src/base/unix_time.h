// The system's clock, as times are stored and sent: counted since 1970, UTC. Any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace hadal {

inline std::int64_t UnixMilliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}
inline std::int64_t UnixSeconds() { return UnixMilliseconds() / 1000; }

}  // namespace hadal
