// Times and spans as Ollama writes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hadal {

// "2026-11-22T06:14:21.123456789Z".
std::string Rfc3339(std::chrono::system_clock::time_point time);
inline std::string Rfc3339Now() { return Rfc3339(std::chrono::system_clock::now()); }

// Whole nanoseconds, never negative.
std::int64_t Nanoseconds(double seconds);

// A span in the form of Go's time.ParseDuration: "5m", "1h30m", "-1s", "0". Nothing where the text
// is none; beyond what fits, the longest span of its sign.
std::optional<std::chrono::nanoseconds> ParseGoDuration(std::string_view text);

}  // namespace hadal
