#include "serve/ollama_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hadal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes a number with an optional fraction; nothing where there is none.
std::optional<double> TakeNumber(std::string_view* text) {
  double value = 0, place = 1;
  std::size_t digits = 0, at = 0;
  bool point = false;
  for (; at < text->size(); ++at) {
    const char c = (*text)[at];
    if (IsDigit(c)) {
      ++digits;
      if (point)
        value += (place /= 10) * (c - '0');
      else
        value = value * 10 + (c - '0');
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  text->remove_prefix(at);
  if (digits == 0) return std::nullopt;
  return value;
}

// In nanoseconds.
std::optional<double> TakeUnit(std::string_view* text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ns", 1},   {"us", 1e3}, {"\u00B5s", 1e3}, {"\u03BCs", 1e3},
      {"ms", 1e6}, {"s", 1e9},  {"m", 6e10},      {"h", 3.6e12}};
  for (const auto& [unit, nanoseconds] : kUnits) {
    if (!text->starts_with(unit)) continue;
    text->remove_prefix(unit.size());
    return nanoseconds;
  }
  return std::nullopt;
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

std::optional<std::chrono::nanoseconds> ParseGoDuration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double sum = 0;
  while (!text.empty()) {
    const auto number = TakeNumber(&text);
    const auto unit = number ? TakeUnit(&text) : std::nullopt;
    if (!unit) return std::nullopt;
    sum += *number * *unit;
  }
  constexpr double kMost = 9.2e18;
  const auto span = static_cast<std::int64_t>(std::min(sum, kMost));
  return std::chrono::nanoseconds(negative ? -span : span);
}

}  // namespace hadal
