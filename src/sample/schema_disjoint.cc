#include <algorithm>

#include "base/json.h"
#include "sample/schema_grammar.h"
#include "sample/schema_keywords.h"

namespace hadal {
namespace {

constexpr int kMostDepth = 4;

// Behind references; what leads nowhere is refused elsewhere.
const Metadata& Behind(const Metadata& schema, const Metadata& document) {
  const Metadata* at = &schema;
  for (int i = 0; i < kMostDepth; ++i) {
    const Metadata* reference = at->Find("$ref");
    if (reference == nullptr || !reference->is_string()) break;
    const Metadata* target = FindReference(document, *reference->string());
    if (target == nullptr) break;
    at = target;
  }
  return *at;
}

// The only values that a schema allows, where it lists them.
std::vector<const Metadata*> Listed(const Metadata& schema) {
  std::vector<const Metadata*> values;
  if (const Metadata* value = schema.Find("const")) values.push_back(value);
  if (const Metadata* list = schema.Find("enum"); list != nullptr && values.empty())
    for (const Metadata& value : list->items()) values.push_back(&value);
  return values;
}

unsigned TypesWithin(const Metadata& schema, const Metadata& document, int depth) {
  const std::vector<const Metadata*> values = Listed(schema);
  unsigned bits = 0;
  if (!values.empty()) {
    for (const Metadata* value : values) bits |= TypeBits(*value);
    return bits;
  }
  for (const char* key : {"anyOf", "oneOf"}) {
    const Metadata* list = schema.Find(key);
    if (list == nullptr || depth == 0) continue;
    for (const Metadata& item : list->items())
      bits |= TypesWithin(Behind(item, document), document, depth - 1);
    return bits;
  }
  return AllowedTypes(schema).value_or(json_type::kAny);
}

bool Requires(const Metadata& schema, std::string_view name) {
  const Metadata* required = schema.Find("required");
  return required != nullptr &&
         std::ranges::any_of(required->items(), [name](const Metadata& item) {
           return item.is_string() && *item.string() == name;
         });
}

bool Disjoint(const Metadata& first, const Metadata& second, const Metadata& document, int depth) {
  const Metadata& a = Behind(first, document);
  const Metadata& b = Behind(second, document);
  if ((TypesWithin(a, document, depth) & TypesWithin(b, document, depth)) == 0) return true;
  const auto values_a = Listed(a), values_b = Listed(b);
  if (!values_a.empty() && !values_b.empty()) {
    std::vector<std::string> texts;
    for (const Metadata* value : values_a) texts.push_back(WriteJson(*value));
    return std::ranges::none_of(values_b, [&texts](const Metadata* value) {
      return std::ranges::find(texts, WriteJson(*value)) != texts.end();
    });
  }
  const bool objects = TypesWithin(a, document, depth) == json_type::kObject &&
                       TypesWithin(b, document, depth) == json_type::kObject;
  const Metadata* properties = a.Find("properties");
  const Metadata* others = b.Find("properties");
  if (!objects || properties == nullptr || others == nullptr || depth == 0) return false;
  return std::ranges::any_of(properties->members(), [&](const Metadata::Member& member) {
    const Metadata* other = others->Find(member.key);
    return other != nullptr && Requires(a, member.key) && Requires(b, member.key) &&
           Disjoint(member.value, *other, document, depth - 1);
  });
}

}  // namespace

bool AreDisjoint(const Metadata& a, const Metadata& b, const Metadata& document) {
  return Disjoint(a, b, document, kMostDepth);
}

}  // namespace hadal
