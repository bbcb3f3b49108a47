// Arrays and objects.
#include <algorithm>

#include "sample/schema_grammar.h"

namespace hadal {

using Builder = GrammarBuilder;

Result<SchemaGrammar::Node> SchemaGrammar::BuildArray(const Place& place, Node next) {
  HADAL_ASSIGN_OR_RETURN(const Builder::Count count, CountOf(place, "minItems", "maxItems"));
  if (count.min > count.max) return builder().Match({});
  if (place.schema->Find("prefixItems") != nullptr) return BuildTuple(place, count, next);
  Place items = place.Of("items");
  if (items.schema != nullptr && items.schema->is_array())
    return UsageError(items.path, "a list of schemas", "one schema",
                      "name the schemas of the first items in prefixItems");
  Status status;
  const Node list = json_->List('[', ']', count, next, [&](Node again) {
    const Result<Node> item = Value(items, again);
    if (item.ok()) return *item;
    status = item.status();
    return again;
  });
  HADAL_RETURN_IF_ERROR(status);
  return list;
}

// The first items by their own schemas, then others where `items` describes them.
Result<SchemaGrammar::Node> SchemaGrammar::BuildTuple(const Place& place,
                                                      const Builder::Count& count, Node next) {
  const Place prefix = place.Of("prefixItems"), items = place.Of("items");
  if (!prefix.schema->is_array())
    return UsageError(prefix.path, prefix.schema->Describe(), "a list of schemas",
                      "use items for one schema");
  const auto first = prefix.schema->items();
  const auto size = static_cast<std::uint32_t>(first.size());
  const Node end = json_->Space(builder().Byte(']', next));
  Node after = end;
  const bool more = items.schema != nullptr && items.schema->boolean() != false;
  if (!more && count.min > size) return builder().Match({});
  if (more && count.max > size) {
    const Builder::Count rest{count.min > size ? count.min - size : 0,
                              count.max == kUnbounded ? kUnbounded : count.max - size};
    Status status;
    after = builder().Repeat(rest, end, [&](Node again) {
      const Result<Node> item = Value(items, again);
      if (!item.ok()) status = item.status();
      return builder().Byte(',', json_->Space(item.ok() ? *item : again));
    });
    HADAL_RETURN_IF_ERROR(status);
  }
  for (std::uint32_t i = std::min(size, count.max); i-- > 0;) {
    HADAL_ASSIGN_OR_RETURN(Node item, Value(prefix.Of(first[i], std::to_string(i)), after));
    item = json_->Space(item);
    if (i > 0) item = builder().Byte(',', item);
    after = i >= count.min ? builder().Fork({item, end}) : item;
  }
  return builder().Byte('[', after);
}

Result<SchemaGrammar::Shape> SchemaGrammar::ShapeOf(const Place& given) {
  HADAL_ASSIGN_OR_RETURN(const Place place, Followed(given));
  Shape shape;
  if (place.schema == nullptr || place.schema->boolean() == true) {
    shape.open = true;
    return shape;
  }
  HADAL_RETURN_IF_ERROR(CheckKeywords(place));
  HADAL_ASSIGN_OR_RETURN(const std::vector<Type> types, TypesOf(place));
  const bool chooses =
      place.schema->Find("anyOf") != nullptr || place.schema->Find("oneOf") != nullptr ||
      place.schema->Find("enum") != nullptr || place.schema->Find("const") != nullptr;
  if (chooses || (!types.empty() && std::ranges::find(types, Type::kObject) == types.end()))
    return UsageError(place.path, "a schema that is not one object's", "type \"object\"",
                      "describe the parameters as one object");
  const Place properties = place.Of("properties"), required = place.Of("required");
  shape.other = place.Of("additionalProperties");
  shape.open = properties.schema == nullptr;
  if (shape.other.schema != nullptr) shape.open = shape.other.schema->boolean() != false;
  if (properties.schema != nullptr && !properties.schema->is_object())
    return UsageError(properties.path, properties.schema->Describe(), "an object of schemas",
                      "correct the schema");
  if (properties.schema != nullptr)
    for (const Metadata::Member& member : properties.schema->members())
      if (properties.schema->Find(member.key) == &member.value)  // of a doubled key the last counts
        shape.properties.push_back({member.key, properties.Of(member.value, member.key)});
  if (required.schema == nullptr) return shape;
  for (const Metadata& name : required.schema->items()) {
    if (!name.is_string())
      return UsageError(required.path, name.Describe(), "names of properties", "correct the list");
    const auto found = std::ranges::find(shape.properties, *name.string(), &Property::name);
    if (found != shape.properties.end()) {
      found->required = true;
      continue;
    }
    if (shape.other.schema != nullptr && !shape.open)
      return UsageError(required.path, "\"" + std::string(*name.string()) + "\"",
                        "a name in properties, where additionalProperties is false",
                        "describe the property, or do not require it");
    shape.properties.push_back({*name.string(), shape.other, true});
  }
  return shape;
}

Result<SchemaGrammar::Node> SchemaGrammar::BuildObject(const Place& place, Node next) {
  HADAL_ASSIGN_OR_RETURN(const Shape shape, ShapeOf(place));
  const Node end = json_->Space(builder().Byte('}', next));
  // Behind the last listed member, and where none was written yet.
  Node later = end, first = end;
  if (shape.open) {
    std::vector<std::string_view> names;
    for (const Property& property : shape.properties) names.push_back(property.name);
    later = builder().Reserve();
    HADAL_ASSIGN_OR_RETURN(const Node value, Value(shape.other, later));
    const Node member =
        json_->Space(json_->OtherKey(names, builder().Byte(':', json_->SpaceAfterColon(value))));
    builder().SetFork(later, {builder().Byte(',', member), end});
    first = builder().Fork({member, end});
  }
  for (std::size_t i = shape.properties.size(); i-- > 0;) {
    const Property& property = shape.properties[i];
    HADAL_ASSIGN_OR_RETURN(const Node value, Value(property.value, later));
    std::string key = "\"" + JsonSpelling(property.name) + "\":";
    const Node member = json_->Space(builder().Literal(key, json_->SpaceAfterColon(value)));
    const Node further = builder().Byte(',', member);
    first = property.required ? member : builder().Fork({member, first});
    later = property.required ? further : builder().Fork({further, later});
  }
  return builder().Byte('{', first);
}

}  // namespace hadal
