// Lists in a request's JSON, item by item, each with its path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/json_reader.h"

namespace hadal {

// The objects of an array, as "messages[2]" and so on; empty where the field is absent. An item of
// another kind fails the reader, and the list ends there.
std::vector<Fields> ObjectsOf(Fields* fields, std::string_view key, std::size_t least,
                              std::size_t most);
// The same for texts.
std::vector<std::string> TextsOf(Fields* fields, std::string_view key, std::size_t least,
                                 std::size_t most);

// Stop strings: a text or a list of at most kMostStops, none of them empty.
inline constexpr std::size_t kMostStops = 16;
std::vector<std::string> StopsOf(Fields* fields, std::string_view key);

}  // namespace hadal
