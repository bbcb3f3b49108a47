// The parts of JSON as pieces of a grammar.
//
// White space is bounded, so that a model cannot write it for ever: where JSON allows it, none, one
// space, or a line break with up to kMostIndent spaces; after a colon none or one space; before a
// comma or a colon none. Numbers have at most 18 digits before the point and 15 after it, and
// exponents two, so that every reader can hold them.
//
// An object belongs to one builder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sample/grammar.h"
#include "sample/one_character.h"

namespace hadal {

// How a text stands in the answer.
enum class Spelling : unsigned char {
  kJson,   // between quotes, with JSON's escapes
  kPlain,  // as it is (values of DSML)
};

class JsonGrammar {
 public:
  using Node = GrammarNodeId;
  static constexpr std::uint32_t kMostIndent = 32;
  static constexpr std::uint32_t kIntegerDigits = 18;
  static constexpr std::uint32_t kFractionDigits = 15;

  explicit JsonGrammar(GrammarBuilder* builder) : builder_(builder) {}

  Node Space(Node next);
  Node SpaceAfterColon(Node next) { return builder_->Optional(builder_->Byte(' ', next), next); }

  // Any value; an object with any members; a text of so many characters, with its quotes.
  Node Value(Node next) { return builder_->Call(ValueRule(), next); }
  Node AnyObject(Node next) { return builder_->Call(ObjectRule(), next); }
  Node String(const GrammarBuilder::Count& characters, Node next);
  Node Integer(Node next) { return builder_->Call(IntegerRule(), next); }
  Node Number(Node next) { return builder_->Call(NumberRule(), next); }
  // A member's key with its quotes, without escapes (so that none spells a taken one) and none of
  // `taken`.
  Node OtherKey(const std::vector<std::string_view>& taken, Node next);

  // One character of the set inside of a text, in its shortest spelling.
  Node Character(const CodeSet& set, Spelling spelling, Node next);

  // The members of an object, or the items of an array, between their brackets: `item` as often as
  // `count` says, with commas.
  Node List(char open, char close, const GrammarBuilder::Count& count, Node next,
            const GrammarBuilder::Body& item);

  GrammarBuilder* builder() { return builder_; }

 private:
  GrammarRuleId ValueRule();
  GrammarRuleId ObjectRule();
  GrammarRuleId ArrayRule();
  GrammarRuleId StringRule();
  GrammarRuleId IntegerRule();
  GrammarRuleId NumberRule();
  // The edges of one character and its escapes.
  std::vector<GrammarEdge> TextEdges(Node next);
  Node UnicodeEscape(Node next);

  GrammarBuilder* builder_;
  std::optional<GrammarRuleId> value_, object_, array_, string_, integer_, number_;
};

// The spelling of a text inside of JSON's quotes that this house writes.
std::string JsonSpelling(std::string_view text);

}  // namespace hadal
