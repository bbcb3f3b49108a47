#include "serve/ollama_time.h"

#include <fmt/format.h>

#include <algorithm>

namespace hadal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes a number with an optional fraction; false where there is none.
bool TakeNumber(std::string_view* text) {
  std::size_t digits = 0, at = 0;
  bool point = false;
  for (; at < text->size(); ++at) {
    if (IsDigit((*text)[at]))
      ++digits;
    else if ((*text)[at] == '.' && !point)
      point = true;
    else
      break;
  }
  text->remove_prefix(at);
  return digits > 0;
}

bool TakeUnit(std::string_view* text) {
  for (const std::string_view unit : {"ns", "us", "\u00B5s", "\u03BCs", "ms", "s", "m", "h"}) {
    if (!text->starts_with(unit)) continue;
    text->remove_prefix(unit.size());
    return true;
  }
  return false;
}

}  // namespace

std::string Rfc3339(std::chrono::system_clock::time_point time) {
  namespace chrono = std::chrono;
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::nanoseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     chrono::nanoseconds(clock.subseconds()).count());
}

std::int64_t Nanoseconds(double seconds) {
  return static_cast<std::int64_t>(std::max(0.0, seconds) * 1e9);
}

bool IsGoDuration(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return true;
  if (text.empty()) return false;
  while (!text.empty())
    if (!TakeNumber(&text) || !TakeUnit(&text)) return false;
  return true;
}

}  // namespace hadal
