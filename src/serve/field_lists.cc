#include "serve/field_lists.h"

namespace hadal {

std::vector<Fields> ObjectsOf(Fields* fields, std::string_view key, std::size_t least,
                              std::size_t most) {
  std::vector<Fields> objects;
  const auto items = fields->Array(key, least, most);
  if (!items) return objects;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Metadata& item = (*items)[i];
    if (!item.is_object()) {
      fields->reader()->Fail(
          InvalidField(fields->PathOf(key, i),
                       "'" + fields->PathOf(key, i) + "' must be an object, not " + item.Describe(),
                       "invalid_type"));
      break;
    }
    objects.emplace_back(item, fields->PathOf(key, i), fields->reader());
  }
  return objects;
}

std::vector<std::string> TextsOf(Fields* fields, std::string_view key, std::size_t least,
                                 std::size_t most) {
  std::vector<std::string> texts;
  const auto items = fields->Array(key, least, most);
  if (!items) return texts;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const auto text = (*items)[i].string();
    if (!text) {
      fields->reader()->Fail(InvalidField(
          fields->PathOf(key, i),
          "'" + fields->PathOf(key, i) + "' must be a text, not " + (*items)[i].Describe(),
          "invalid_type"));
      break;
    }
    texts.emplace_back(*text);
  }
  return texts;
}

std::vector<std::string> StopsOf(Fields* fields, std::string_view key) {
  std::vector<std::string> stops;
  const Metadata* value = fields->Any(key);
  if (value == nullptr) return stops;
  if (value->is_string())
    stops.emplace_back(*value->string());
  else
    stops = TextsOf(fields, key, 0, kMostStops);
  for (const std::string& stop : stops)
    if (stop.empty()) fields->Fail(key, "must not hold an empty text", "invalid_value");
  return stops;
}

}  // namespace hadal
