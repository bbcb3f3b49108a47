// Values of one type: constants, texts, numbers.
#include <algorithm>

#include "base/json.h"
#include "sample/number_range.h"
#include "sample/pattern.h"
#include "sample/schema_grammar.h"
#include "sample/schema_keywords.h"

namespace hadal {
namespace {

// The keywords that are about one type, to tell it where `type` is missing.
struct TypeHint {
  unsigned bits;
  std::string_view keyword;
};
constexpr TypeHint kHints[] = {{json_type::kObject, "properties"},
                               {json_type::kObject, "required"},
                               {json_type::kObject, "additionalProperties"},
                               {json_type::kArray, "items"},
                               {json_type::kArray, "prefixItems"},
                               {json_type::kArray, "minItems"},
                               {json_type::kArray, "maxItems"},
                               {json_type::kString, "pattern"},
                               {json_type::kString, "format"},
                               {json_type::kString, "minLength"},
                               {json_type::kString, "maxLength"},
                               {json_type::kNumber, "minimum"},
                               {json_type::kNumber, "maximum"},
                               {json_type::kNumber, "exclusiveMinimum"},
                               {json_type::kNumber, "exclusiveMaximum"},
                               {json_type::kNumber, "multipleOf"}};

// Formats that say how a program holds a number.
bool IsNumberFormat(std::string_view format) {
  return format == "int32" || format == "int64" || format == "float" || format == "double";
}

}  // namespace

Result<std::vector<SchemaGrammar::Type>> SchemaGrammar::TypesOf(const Place& place) const {
  const Metadata& schema = *place.schema;
  std::optional<unsigned> bits = AllowedTypes(schema);
  if (!bits)
    return UsageError(place.path + "/type", schema.Find("type")->Describe(),
                      "null, boolean, integer, number, string, array, object, or several of them",
                      "correct the type");
  if (schema.Find("type") == nullptr) {
    bits = 0;
    for (const TypeHint& hint : kHints)
      if (schema.Find(hint.keyword) != nullptr) *bits |= hint.bits;
  }
  std::vector<Type> types;
  const auto add = [&](unsigned bit, Type type) {
    if ((*bits & bit) == bit) types.push_back(type);
  };
  add(json_type::kObject, Type::kObject);
  add(json_type::kArray, Type::kArray);
  add(json_type::kString, Type::kString);
  if ((*bits & json_type::kNumber) == json_type::kInteger)
    types.push_back(Type::kInteger);
  else
    add(json_type::kNumber, Type::kNumber);
  add(json_type::kBoolean, Type::kBoolean);
  add(json_type::kNull, Type::kNull);
  return types;
}

Result<SchemaGrammar::Node> SchemaGrammar::BuildType(Type type, const Place& place, Node next) {
  switch (type) {
    case Type::kNull:
      return builder().Literal("null", next);
    case Type::kBoolean:
      return builder().Branches({{"true", next}, {"false", next}});
    case Type::kInteger:
    case Type::kNumber:
      return BuildNumber(type, place, next);
    case Type::kString:
      return BuildString(place, next);
    case Type::kArray:
      return BuildArray(place, next);
    case Type::kObject:
      return BuildObject(place, next);
  }
  return next;
}

Result<std::vector<std::string>> SchemaGrammar::EnumTexts(const Place& place, Spelling spelling) {
  const Metadata& schema = *place.schema;
  const std::string_view key = schema.Find("const") != nullptr ? "const" : "enum";
  HADAL_RETURN_IF_ERROR(CheckKeywords(place));
  for (const Metadata::Member& member : schema.members())
    if (member.key != key && member.key != "type" &&
        UseOf(member.key, member.value) == KeywordUse::kEnforced)
      return UsageError(place.path + "/" + std::string(member.key),
                        "beside " + std::string(key) + ", where both would have to hold",
                        "one of them", "list the values that satisfy both");
  const std::optional<unsigned> types = AllowedTypes(schema);
  const Place list = place.Of(key);
  const auto values = key == "const" ? std::span(list.schema, 1) : list.schema->items();
  enum_values_ += values.size();
  if (!types || values.empty() || enum_values_ > kMostEnumValues)
    return UsageError(
        list.path,
        values.empty() ? list.schema->Describe() : std::to_string(enum_values_) + " values in all",
        "1 to 5000 values of the schema's type", "list fewer values");
  std::vector<std::string> texts;
  for (const Metadata& value : values) {
    if ((TypeBits(value) & *types) == 0) continue;
    texts.push_back(spelling == Spelling::kPlain && value.is_string() ? std::string(*value.string())
                                                                      : WriteJson(value));
  }
  std::ranges::sort(texts);
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

Result<SchemaGrammar::Node> SchemaGrammar::BuildEnum(const Place& place, Node next) {
  HADAL_ASSIGN_OR_RETURN(const std::vector<std::string> texts, EnumTexts(place, Spelling::kJson));
  std::vector<GrammarBuilder::Branch> branches;
  for (const std::string& text : texts) branches.push_back({text, next});
  return builder().Branches(std::move(branches));
}

Result<GrammarBuilder::Count> SchemaGrammar::CountOf(const Place& place, const char* min,
                                                     const char* max) const {
  GrammarBuilder::Count count;
  for (const bool least : {true, false}) {
    const Place at = place.Of(least ? min : max);
    if (at.schema == nullptr) continue;
    const auto value = at.schema->integer();
    const std::int64_t most = least ? kMostRepeat : 0x7FFFFFFF;
    if (!value || *value < 0 || *value > most)
      return UsageError(at.path, at.schema->Describe(), "a count from 0 to " + std::to_string(most),
                        "correct the count");
    (least ? count.min : count.max) = static_cast<std::uint32_t>(*value);
  }
  return count;
}

bool SchemaGrammar::IsText(const Place& place) const {
  if (place.schema == nullptr || !place.schema->is_object()) return false;
  const Metadata* type = place.schema->Find("type");
  if (type != nullptr) return type->is_string() && *type->string() == "string";
  for (const char* key : {"enum", "const"}) {
    const Metadata* values = place.schema->Find(key);
    if (values == nullptr) continue;
    if (values->is_string()) return true;
    return values->is_array() && !values->items().empty() &&
           std::ranges::all_of(values->items(), [](const Metadata& v) { return v.is_string(); });
  }
  return false;
}

Result<SchemaGrammar::Node> SchemaGrammar::Text(const Place& place, Spelling spelling, Node next) {
  const Metadata& schema = *place.schema;
  HADAL_RETURN_IF_ERROR(CheckKeywords(place));
  if (schema.Find("enum") != nullptr || schema.Find("const") != nullptr) {
    HADAL_ASSIGN_OR_RETURN(const std::vector<std::string> texts, EnumTexts(place, spelling));
    std::vector<GrammarBuilder::Branch> branches;
    for (const std::string& text : texts) branches.push_back({text, next});
    return builder().Branches(std::move(branches));
  }
  HADAL_ASSIGN_OR_RETURN(const GrammarBuilder::Count length,
                         CountOf(place, "minLength", "maxLength"));
  if (length.min > length.max) return builder().Match({});
  const Place pattern = place.Of("pattern"), format = place.Of("format");
  if (pattern.schema != nullptr && format.schema != nullptr)
    return UsageError(format.path, "a format beside a pattern", "one of them",
                      "write the format into the pattern");
  if (pattern.schema != nullptr && !pattern.schema->is_string())
    return UsageError(pattern.path, pattern.schema->Describe(), "a text", "correct the pattern");
  if (pattern.schema != nullptr)
    return PatternText(*pattern.schema->string(), pattern.path, length, spelling, next, json_);
  if (format.schema != nullptr) {
    const auto name = format.schema->string();
    const std::string_view known = name ? PatternOfFormat(*name) : std::string_view();
    if (known.empty())
      return UsageError(format.path, format.schema->Describe(), FormatNames(),
                        "leave it out, or use a pattern");
    return PatternText(known, format.path, length, spelling, next, json_);
  }
  return PatternText("^[^]*$", place.path, length, spelling, next, json_);
}

Result<SchemaGrammar::Node> SchemaGrammar::BuildString(const Place& place, Node next) {
  const Metadata& schema = *place.schema;
  if (schema.Find("pattern") == nullptr && schema.Find("format") == nullptr) {
    HADAL_ASSIGN_OR_RETURN(const GrammarBuilder::Count length,
                           CountOf(place, "minLength", "maxLength"));
    if (length.min > length.max) return builder().Match({});
    return json_->String(length, next);
  }
  HADAL_ASSIGN_OR_RETURN(const Node text, Text(place, Spelling::kJson, builder().Byte('"', next)));
  return builder().Byte('"', text);
}

Result<SchemaGrammar::Node> SchemaGrammar::BuildNumber(Type type, const Place& place, Node next) {
  NumberLimits limits;
  limits.integer = type == Type::kInteger;
  const auto read = [&place](const char* key, std::optional<double>* value) -> Status {
    const Place at = place.Of(key);
    if (at.schema == nullptr) return {};
    *value = at.schema->real();
    if (!*value) return UsageError(at.path, at.schema->Describe(), "a number", "correct the bound");
    return {};
  };
  std::optional<double> above, below;
  HADAL_RETURN_IF_ERROR(read("minimum", &limits.low));
  HADAL_RETURN_IF_ERROR(read("maximum", &limits.high));
  HADAL_RETURN_IF_ERROR(read("exclusiveMinimum", &above));
  HADAL_RETURN_IF_ERROR(read("exclusiveMaximum", &below));
  HADAL_RETURN_IF_ERROR(read("multipleOf", &limits.multiple_of));
  if (above && (!limits.low || *above >= *limits.low)) {
    limits.low = above;
    limits.low_excluded = true;
  }
  if (below && (!limits.high || *below <= *limits.high)) {
    limits.high = below;
    limits.high_excluded = true;
  }
  const Place format = place.Of("format");
  if (format.schema != nullptr && !IsNumberFormat(format.schema->string().value_or("")) &&
      place.schema->Find("type") != nullptr && place.schema->Find("type")->is_string())
    return UsageError(format.path, format.schema->Describe(), "int32, int64, float or double",
                      "leave it out");
  if (format.schema != nullptr && format.schema->string() == "int32") {
    limits.low = std::max(limits.low.value_or(-2147483648.0), -2147483648.0);
    limits.high = std::min(limits.high.value_or(2147483647.0), 2147483647.0);
  }
  if (!limits.any()) return limits.integer ? json_->Integer(next) : json_->Number(next);
  if (limits.low && limits.high && *limits.low > *limits.high) return builder().Match({});
  const std::optional<Node> node = LimitedNumber(limits, next, &builder());
  if (node) return *node;
  return UsageError(
      place.path, "bounds or a multiple that are not enforced",
      "bounds of at most 15 decimals; a multiple up to 100, or a power of ten below 1",
      "leave them out, and check the number yourself");
}

}  // namespace hadal
