// The keywords of JSON Schema by what is done with them. Inside of `sample`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/metadata.h"

namespace hadal {

enum class KeywordUse : unsigned char {
  kNote,  // says nothing about which values are valid
  kEnforced,
  kRefused,
};
KeywordUse UseOf(std::string_view keyword, const Metadata& value);

// Types as a set of bits, an integer being a number too.
namespace json_type {
inline constexpr unsigned kNull = 1, kBoolean = 2, kInteger = 4, kFraction = 8, kString = 16,
                          kArray = 32, kObject = 64, kNumber = kInteger | kFraction, kAny = 127;
}  // namespace json_type

// Of a type's name; 0 for an unknown one.
unsigned TypeBits(std::string_view name);
// Of a value.
unsigned TypeBits(const Metadata& value);
// That `type` of a schema allows: all where it has none, nothing where it is not understood.
std::optional<unsigned> AllowedTypes(const Metadata& schema);

}  // namespace hadal
