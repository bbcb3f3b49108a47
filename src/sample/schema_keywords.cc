#include "sample/schema_keywords.h"

#include <algorithm>

namespace hadal {
namespace {

constexpr std::string_view kNotes[] = {
    "$schema",  "$id",       "$comment",    "$defs",         "definitions",
    "title",    "default",   "example",     "examples",      "deprecated",
    "readOnly", "writeOnly", "description", "discriminator", "contentMediaType"};

constexpr std::string_view kEnforced[] = {"type",
                                          "enum",
                                          "const",
                                          "anyOf",
                                          "oneOf",
                                          "allOf",
                                          "$ref",
                                          "properties",
                                          "required",
                                          "additionalProperties",
                                          "items",
                                          "prefixItems",
                                          "minItems",
                                          "maxItems",
                                          "minLength",
                                          "maxLength",
                                          "pattern",
                                          "format",
                                          "minimum",
                                          "maximum",
                                          "exclusiveMinimum",
                                          "exclusiveMaximum",
                                          "multipleOf"};

bool Among(std::string_view keyword, std::span<const std::string_view> names) {
  return std::ranges::find(names, keyword) != names.end();
}

}  // namespace

KeywordUse UseOf(std::string_view keyword, const Metadata& value) {
  if (Among(keyword, kNotes) || keyword.starts_with("x-")) return KeywordUse::kNote;
  if (keyword == "uniqueItems" && value.boolean() == false) return KeywordUse::kNote;
  if (keyword == "minProperties" && value.integer() == 0) return KeywordUse::kNote;
  if (keyword == "allOf")
    return value.items().size() == 1 ? KeywordUse::kEnforced : KeywordUse::kRefused;
  return Among(keyword, kEnforced) ? KeywordUse::kEnforced : KeywordUse::kRefused;
}

unsigned TypeBits(std::string_view name) {
  struct Named {
    std::string_view name;
    unsigned bits;
  };
  constexpr Named kTypes[] = {{"null", json_type::kNull},       {"boolean", json_type::kBoolean},
                              {"integer", json_type::kInteger}, {"number", json_type::kNumber},
                              {"string", json_type::kString},   {"array", json_type::kArray},
                              {"object", json_type::kObject}};
  for (const Named& type : kTypes)
    if (type.name == name) return type.bits;
  return 0;
}

unsigned TypeBits(const Metadata& value) {
  if (value.is_null()) return json_type::kNull;
  if (value.is_bool()) return json_type::kBoolean;
  if (value.is_number())
    return value.integer() || value.is_integer() ? json_type::kInteger : json_type::kFraction;
  if (value.is_string()) return json_type::kString;
  return value.is_array() ? json_type::kArray : json_type::kObject;
}

std::optional<unsigned> AllowedTypes(const Metadata& schema) {
  const Metadata* type = schema.Find("type");
  if (type == nullptr) return json_type::kAny;
  unsigned bits = 0;
  const auto add = [&bits](const Metadata& name) {
    const unsigned one = name.is_string() ? TypeBits(*name.string()) : 0;
    bits |= one;
    return one != 0;
  };
  if (type->is_string()) return add(*type) ? std::optional(bits) : std::nullopt;
  if (type->items().empty() || !std::ranges::all_of(type->items(), add)) return std::nullopt;
  return bits;
}

}  // namespace hadal
