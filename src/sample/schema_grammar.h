// SchemaGrammar: one JSON Schema as rules of a grammar. docs/structured-output.md lists what is
// understood; any other keyword is refused by name, with the JSON pointer of its place, since an
// answer that ignored it would not be what was asked for. Every value that the grammar accepts is
// valid; where a schema allows more than can be enforced simply, the grammar allows a part of it
// (members in the order of `properties`, no further ones unless asked for).
//
// Values become rules that are made one after another, so neither the depth of a schema nor its
// recursion costs stack. An object belongs to one builder.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "base/status.h"
#include "sample/json_grammar.h"

namespace hadal {

// Caps on what is read (docs: serving limits); kept by ParseSchema.
inline constexpr std::size_t kMostSchemaBytes = 256 << 10;
inline constexpr int kMostSchemaDepth = 64;
inline constexpr std::int64_t kMostSchemaNodes = 10'000;
inline constexpr std::size_t kMostEnumValues = 5'000;

// The tree of a schema's text. `where` begins the places in messages: "schema#".
Result<MetadataDocument> ParseSchema(std::string_view text, const std::string& where);

class SchemaGrammar {
 public:
  using Node = GrammarNodeId;

  // Where in the document a schema stands.
  struct Place {
    const Metadata* schema = nullptr;
    std::string path;
    Place Of(std::string_view key) const;  // a member, with the key escaped; null where absent
    Place Of(const Metadata& value, std::string_view key) const;
  };
  struct Property {
    std::string_view name;
    Place value;  // a null schema: any value
    bool required = false;
  };
  struct Shape {
    std::vector<Property> properties;
    bool open = false;  // further members
    Place other;        // their values; a null schema: any
  };

  // `document` outlives the object.
  SchemaGrammar(const Metadata& document, std::string where, JsonGrammar* json)
      : document_(document), where_(std::move(where)), json_(json) {}

  Place Root() const { return {&document_, where_}; }

  // A value that the schema accepts. Rules that it needs are made by Finish.
  Result<Node> Value(const Place& place, Node next);
  Status Finish();

  // What an object schema asks for, references followed.
  Result<Shape> ShapeOf(const Place& place);
  // Where a place refers to another one (or holds one alone): that.
  Result<Place> Followed(Place place) const;
  // A text without its quotes, where the schema is about nothing but a text.
  bool IsText(const Place& place) const;
  Result<Node> Text(const Place& place, Spelling spelling, Node next);

 private:
  enum class Type : unsigned char { kNull, kBoolean, kInteger, kNumber, kString, kArray, kObject };

  GrammarRuleId RuleOf(const Place& place);
  Result<Node> Build(const Place& place, Node next);
  Result<Node> BuildType(Type type, const Place& place, Node next);
  Result<Node> BuildEnum(const Place& place, Node next);
  Result<Node> BuildChoices(const Place& place, std::string_view key, Node next);
  Result<Node> BuildString(const Place& place, Node next);
  Result<Node> BuildNumber(Type type, const Place& place, Node next);
  Result<Node> BuildArray(const Place& place, Node next);
  Result<Node> BuildTuple(const Place& place, const GrammarBuilder::Count& count, Node next);
  Result<Node> BuildObject(const Place& place, Node next);
  Result<std::vector<Type>> TypesOf(const Place& place) const;
  Result<std::vector<std::string>> EnumTexts(const Place& place, Spelling spelling);
  Status CheckKeywords(const Place& place) const;
  Status CheckAlone(const Place& place, std::string_view key) const;
  Result<GrammarBuilder::Count> CountOf(const Place& place, const char* min, const char* max) const;
  Result<Place> Resolve(const Place& place, std::string_view reference) const;

  GrammarBuilder& builder() { return *json_->builder(); }

  const Metadata& document_;
  const std::string where_;
  JsonGrammar* json_;
  std::map<const Metadata*, GrammarRuleId> rules_;
  struct Waiting {
    Place place;
    GrammarRuleId rule;
  };
  std::deque<Waiting> waiting_;
  std::size_t enum_values_ = 0;
};

// Whether no value satisfies both schemas, as far as that is plain: by type, by their constants, or
// by a required property that tells them apart. References are followed within `document`.
bool AreDisjoint(const Metadata& a, const Metadata& b, const Metadata& document);

// What a reference within the document ("#", "#/$defs/x") means; nullptr where it leads nowhere.
const Metadata* FindReference(const Metadata& document, std::string_view reference);

}  // namespace hadal
