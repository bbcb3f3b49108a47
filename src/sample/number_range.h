// Numbers between bounds, as pieces of a grammar: digit by digit beside the digits of the bounds.
#pragma once

#include <cstdint>
#include <optional>

#include "sample/grammar.h"

namespace hadal {

// What a schema says about a number. Absent bounds are those of JsonGrammar (18 digits).
struct NumberLimits {
  bool integer = false;
  std::optional<double> low = {}, high = {};
  bool low_excluded = false, high_excluded = false;
  std::optional<double> multiple_of = {};
  bool any() const { return low || high || multiple_of; }
};

// Nothing where the limits cannot be enforced: bounds of more than 15 decimals, multiples that are
// neither small integers, nor few between the bounds, nor a power of ten below 1.
std::optional<GrammarNodeId> LimitedNumber(const NumberLimits& limits, GrammarNodeId next,
                                           GrammarBuilder* builder);

}  // namespace hadal
