#include "sample/schema_grammar.h"

#include <algorithm>

#include "base/json.h"
#include "base/utf8.h"
#include "sample/schema_keywords.h"

namespace hadal {
namespace {

constexpr int kMostReferences = 64;  // that lead straight to another one

std::string Escaped(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    if (c == '~')
      escaped += "~0";
    else if (c == '/')
      escaped += "~1";
    else
      escaped += c;
  }
  return escaped;
}

// "a~1b" and "%24" of a reference's part as they are.
std::string Unescaped(std::string_view part) {
  const auto hex = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string text;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '~' && i + 1 < part.size()) {
      text += part[++i] == '1' ? '/' : '~';
    } else if (part[i] == '%' && i + 2 < part.size() && hex(part[i + 1]) >= 0 &&
               hex(part[i + 2]) >= 0) {
      text += static_cast<char>(hex(part[i + 1]) * 16 + hex(part[i + 2]));
      i += 2;
    } else {
      text += part[i];
    }
  }
  return text;
}

}  // namespace

Result<MetadataDocument> ParseSchema(std::string_view text, const std::string& where) {
  if (text.size() > kMostSchemaBytes)
    return UsageError(where, std::to_string(text.size()) + " bytes",
                      "at most " + std::to_string(kMostSchemaBytes), "use a smaller schema");
  JsonLimits limits;
  limits.max_depth = kMostSchemaDepth;
  limits.max_nodes = kMostSchemaNodes;
  Result<MetadataDocument> parsed = ParseJson(text, where, limits);
  if (parsed.ok()) return parsed;
  const Status status = parsed.status();
  return UsageError(status.where(), status.found(), status.expected(), status.hint());
}

SchemaGrammar::Place SchemaGrammar::Place::Of(std::string_view key) const {
  const Metadata* member = schema->Find(key);
  return {member, path + "/" + Escaped(key)};
}

SchemaGrammar::Place SchemaGrammar::Place::Of(const Metadata& value, std::string_view key) const {
  return {&value, path + "/" + Escaped(key)};
}

const Metadata* FindReference(const Metadata& document, std::string_view reference) {
  if (!reference.starts_with('#')) return nullptr;
  reference.remove_prefix(1);
  const Metadata* at = &document;
  while (!reference.empty() && at != nullptr) {
    if (!reference.starts_with('/')) return nullptr;
    reference.remove_prefix(1);
    const std::string key = Unescaped(reference.substr(0, reference.find('/')));
    reference.remove_prefix(std::min(reference.find('/'), reference.size()));
    if (at->is_array()) {
      const bool number = !key.empty() && key.size() < 6 &&
                          std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; });
      const std::size_t index = number ? static_cast<std::size_t>(std::stoul(key)) : 0;
      at = number && index < at->items().size() ? &at->items()[index] : nullptr;
    } else {
      at = at->Find(key);
    }
  }
  return at;
}

Result<SchemaGrammar::Place> SchemaGrammar::Resolve(const Place& place,
                                                    std::string_view reference) const {
  const Metadata* target = FindReference(document_, reference);
  if (target == nullptr)
    return UsageError(place.path + "/$ref", "\"" + std::string(reference) + "\"",
                      "a place within this schema, such as #/$defs/name",
                      "copy what is referred to into $defs");
  std::string fragment(reference.substr(1));
  return Place{target, where_ + fragment};
}

Result<SchemaGrammar::Place> SchemaGrammar::Followed(Place place) const {
  for (int i = 0; i < kMostReferences; ++i) {
    if (place.schema == nullptr || !place.schema->is_object()) return place;
    const Metadata* reference = place.schema->Find("$ref");
    const Metadata* all = place.schema->Find("allOf");
    if (reference != nullptr && reference->is_string()) {
      HADAL_RETURN_IF_ERROR(CheckAlone(place, "$ref"));
      HADAL_ASSIGN_OR_RETURN(place, Resolve(place, *reference->string()));
    } else if (all != nullptr && all->items().size() == 1) {
      HADAL_RETURN_IF_ERROR(CheckAlone(place, "allOf"));
      place = place.Of("allOf").Of(all->items()[0], "0");
    } else {
      return place;
    }
  }
  return UsageError(place.path, "references that lead in a circle", "a schema at their end",
                    "correct the references");
}

Status SchemaGrammar::CheckKeywords(const Place& place) const {
  for (const Metadata::Member& member : place.schema->members()) {
    if (UseOf(member.key, member.value) != KeywordUse::kRefused) continue;
    return UsageError(place.path + "/" + Escaped(member.key), "a keyword that is not enforced",
                      "one of those in docs/structured-output.md",
                      "leave it out, and check it yourself afterwards");
  }
  return {};
}

// The keyword says everything: no other one beside it that would have to be enforced too.
Status SchemaGrammar::CheckAlone(const Place& place, std::string_view key) const {
  HADAL_RETURN_IF_ERROR(CheckKeywords(place));
  for (const Metadata::Member& member : place.schema->members()) {
    if (member.key == key || UseOf(member.key, member.value) != KeywordUse::kEnforced) continue;
    return UsageError(place.path + "/" + Escaped(member.key),
                      "beside " + std::string(key) + ", where both would have to hold",
                      "one of them", "put what it says into the schema that is referred to");
  }
  return {};
}

GrammarRuleId SchemaGrammar::RuleOf(const Place& place) {
  const auto [found, added] = rules_.emplace(place.schema, 0);
  if (added) {
    found->second = builder().ReserveRule();
    waiting_.push_back({place, found->second});
  }
  return found->second;
}

Result<SchemaGrammar::Node> SchemaGrammar::Value(const Place& place, Node next) {
  HADAL_ASSIGN_OR_RETURN(const Place target, Followed(place));
  if (target.schema == nullptr) return json_->Value(next);
  return builder().Call(RuleOf(target), next);
}

Status SchemaGrammar::Finish() {
  while (!waiting_.empty() && builder().within_bounds()) {
    const Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    HADAL_ASSIGN_OR_RETURN(const Node begin, Build(waiting.place, GrammarBuilder::kReturn));
    builder().SetRule(waiting.rule, begin);
  }
  return {};
}

Result<SchemaGrammar::Node> SchemaGrammar::Build(const Place& place, Node next) {
  if (const auto any = place.schema->boolean())
    return *any ? json_->Value(next) : builder().Match({});
  if (!place.schema->is_object())
    return UsageError(place.path, place.schema->Describe(), "a schema: an object, true or false",
                      "correct the schema");
  HADAL_RETURN_IF_ERROR(CheckKeywords(place));
  for (const char* key : {"enum", "const"})
    if (place.schema->Find(key) != nullptr) return BuildEnum(place, next);
  for (const char* key : {"anyOf", "oneOf"})
    if (place.schema->Find(key) != nullptr) return BuildChoices(place, key, next);
  HADAL_ASSIGN_OR_RETURN(const std::vector<Type> types, TypesOf(place));
  if (types.empty()) return json_->Value(next);
  std::vector<Node> choices;
  for (const Type type : types) {
    HADAL_ASSIGN_OR_RETURN(const Node choice, BuildType(type, place, next));
    choices.push_back(choice);
  }
  return builder().Fork(std::move(choices));
}

Result<SchemaGrammar::Node> SchemaGrammar::BuildChoices(const Place& place, std::string_view key,
                                                        Node next) {
  constexpr std::size_t kMostOneOf = 100;
  HADAL_RETURN_IF_ERROR(CheckAlone(place, key));
  const Place list = place.Of(key);
  const auto items = list.schema->items();
  if (items.empty())
    return UsageError(list.path, list.schema->Describe(), "a list of schemas", "name at least one");
  if (key == "oneOf" && items.size() > kMostOneOf)
    return UsageError(list.path, std::to_string(items.size()) + " schemas", "at most 100",
                      "use anyOf");
  std::vector<Node> choices;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t j = 0; j < i && key == "oneOf"; ++j)
      if (!AreDisjoint(items[i], items[j], document_))
        return UsageError(list.path + "/" + std::to_string(i),
                          "a schema that may hold beside number " + std::to_string(j),
                          "alternatives of which a value can satisfy one only",
                          "use anyOf, or a required property with another const in each");
    HADAL_ASSIGN_OR_RETURN(const Node choice, Value(list.Of(items[i], std::to_string(i)), next));
    choices.push_back(choice);
  }
  return builder().Fork(std::move(choices));
}

}  // namespace hadal
