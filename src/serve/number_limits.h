// The numbers that requests may hold and their bounds, for every dialect: one table, so that no
// number reaches the engine unchecked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "serve/json_reader.h"

namespace hadal {

struct NumberLimit {
  std::string_view field;  // its last name
  double least, most;
};
struct IntegerLimit {
  std::string_view field;
  std::int64_t least, most;
};
std::span<const NumberLimit> NumberLimits();
std::span<const IntegerLimit> IntegerLimits();

// The field within the bounds of its row; a field without a row is a mistake of ours.
std::optional<double> ReadNumber(Fields* fields, std::string_view key);
std::optional<std::int64_t> ReadInteger(Fields* fields, std::string_view key);
// Sets the target where the field is there.
void ReadNumber(Fields* fields, std::string_view key, float* target);

}  // namespace hadal
