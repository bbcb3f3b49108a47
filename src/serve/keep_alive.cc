#include "serve/keep_alive.h"

#include "serve/ollama_time.h"

namespace hadal {
namespace {

// A time that late is none: a clock of nanoseconds ends soon after.
constexpr double kForeverSeconds = 100 * 365.25 * 86400;

KeepAlive OfSeconds(double seconds) {
  if (seconds < 0 || seconds >= kForeverSeconds) return kKeepForever;
  return KeepAlive(Nanoseconds(seconds));
}

}  // namespace

std::optional<KeepAlive> ParseKeepAlive(std::string_view text) {
  if (text == "-1") return kKeepForever;  // seconds, as it is often written
  const auto span = ParseGoDuration(text);
  if (!span) return std::nullopt;
  return *span < KeepAlive(0) ? kKeepForever
                              : OfSeconds(std::chrono::duration<double>(*span).count());
}

ApiResult<std::optional<KeepAlive>> ReadKeepAlive(const Metadata& body) {
  const Metadata* value = body.FindNonNull("keep_alive");
  if (value == nullptr) return std::optional<KeepAlive>();
  if (value->is_number()) return std::optional(OfSeconds(*value->real()));
  const auto text = value->string();
  const auto span = text ? ParseKeepAlive(*text) : std::nullopt;
  if (span) return span;
  return InvalidField(
      "keep_alive",
      "keep_alive must be seconds or a duration such as \"5m\", not " + value->Describe(),
      "invalid_type");
}

}  // namespace hadal
