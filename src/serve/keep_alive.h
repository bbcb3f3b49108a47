// keep_alive: how long a model stays loaded after its last answer.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/metadata.h"
#include "serve/api_error.h"

namespace hadal {

// Not negative.
using KeepAlive = std::chrono::nanoseconds;
inline constexpr KeepAlive kKeepForever = KeepAlive::max();

// A duration of Go's form ("5m", "1h30m", "300ms", "0"), or "-1"; below zero: for ever.
std::optional<KeepAlive> ParseKeepAlive(std::string_view text);

// The field keep_alive of a body: such a duration, or seconds; nothing where it is left out. 400
// for what is neither.
ApiResult<std::optional<KeepAlive>> ReadKeepAlive(const Metadata& body);

}  // namespace hadal
