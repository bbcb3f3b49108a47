// Times and spans as Ollama writes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace hadal {

// "2026-11-22T06:14:21.123456789Z".
std::string Rfc3339(std::chrono::system_clock::time_point time);
inline std::string Rfc3339Now() { return Rfc3339(std::chrono::system_clock::now()); }

// Whole nanoseconds, never negative.
std::int64_t Nanoseconds(double seconds);

// Whether a text is a span in the form of Go's time.ParseDuration: "5m", "1h30m", "-1s", "0".
bool IsGoDuration(std::string_view text);

}  // namespace hadal
