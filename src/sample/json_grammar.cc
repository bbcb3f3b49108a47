#include "sample/json_grammar.h"

#include <algorithm>

#include "base/json.h"

namespace hadal {
namespace {

using Builder = GrammarBuilder;

// Escapes of one letter: the character, and the letter.
struct Escape {
  char32_t code;
  char letter;
};
constexpr Escape kEscapes[] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                               {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};

const CodeSet& EscapedCodes() {
  static const CodeSet kCodes({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}});
  return kCodes;
}

const CodeSet& PlainCodes() {
  static const CodeSet kCodes = EscapedCodes().Complement();
  return kCodes;
}

GrammarEdge On(char c, GrammarNodeId next) {
  const auto byte = static_cast<unsigned char>(c);
  return {byte, byte, next};
}

}  // namespace

std::string JsonSpelling(std::string_view text) {
  std::string quoted;
  AppendJsonString(&quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

GrammarNodeId JsonGrammar::Space(Node next) {
  const Node indent = builder_->Repeat({0, kMostIndent}, next,
                                       [this](Node again) { return builder_->Byte(' ', again); });
  return builder_->Fork({builder_->Match({On(' ', next), On('\n', indent)}), next});
}

// Four digits after \u: a character, or two halves of one.
GrammarNodeId JsonGrammar::UnicodeEscape(Node next) {
  const auto hex = [this](Node after) {
    return builder_->Match({{'0', '9', after}, {'A', 'F', after}, {'a', 'f', after}});
  };
  const Node two = hex(hex(next)), three = hex(two);
  const Node low_half = builder_->Match({{'C', 'F', two}, {'c', 'f', two}});
  const Node second =
      builder_->Literal("\\u", builder_->Match({On('D', low_half), On('d', low_half)}));
  const Node high_half = hex(hex(second));
  const Node after_d = builder_->Match(
      {{'0', '7', two}, {'8', '9', high_half}, {'A', 'B', high_half}, {'a', 'b', high_half}});
  return builder_->Match({{'0', '9', three},
                          {'A', 'C', three},
                          {'a', 'c', three},
                          {'E', 'F', three},
                          {'e', 'f', three},
                          On('D', after_d),
                          On('d', after_d)});
}

std::vector<GrammarEdge> JsonGrammar::TextEdges(Node next) {
  std::vector<GrammarEdge> letters = {On('/', next), On('u', UnicodeEscape(next))};
  for (const Escape& escape : kEscapes) letters.push_back(On(escape.letter, next));
  const Node tail = builder_->Byte(0x80, 0xBF, next), two = builder_->Byte(0x80, 0xBF, tail);
  return {{0x20, 0x21, next},
          {0x23, 0x5B, next},
          {0x5D, 0x7F, next},
          {0xC2, 0xDF, tail},
          {0xE0, 0xE0, builder_->Byte(0xA0, 0xBF, tail)},
          {0xE1, 0xEC, two},
          {0xED, 0xED, builder_->Byte(0x80, 0x9F, tail)},
          {0xEE, 0xEF, two},
          {0xF0, 0xF0, builder_->Byte(0x90, 0xBF, two)},
          {0xF1, 0xF3, builder_->Byte(0x80, 0xBF, two)},
          {0xF4, 0xF4, builder_->Byte(0x80, 0x8F, two)},
          On('\\', builder_->Match(std::move(letters)))};
}

GrammarRuleId JsonGrammar::StringRule() {
  if (string_) return *string_;
  string_ = builder_->ReserveRule();
  const Node text = builder_->Reserve();
  std::vector<GrammarEdge> edges = TextEdges(text);
  edges.push_back(On('"', Builder::kReturn));
  builder_->Set(text, std::move(edges), /*text=*/true);
  builder_->SetRule(*string_, builder_->Byte('"', text));
  return *string_;
}

GrammarNodeId JsonGrammar::String(const Builder::Count& characters, Node next) {
  if (characters.min == 0 && characters.max == kUnbounded)
    return builder_->Call(StringRule(), next);
  const Node end = builder_->Byte('"', next);
  const Node text = builder_->Repeat(
      characters, end, [this](Node again) { return builder_->Match(TextEdges(again)); }, {},
      /*text=*/true);
  return builder_->Byte('"', text);
}

GrammarNodeId JsonGrammar::Character(const CodeSet& set, Spelling spelling, Node next) {
  if (spelling == Spelling::kPlain) {
    // Values of DSML end at a mark that begins with the full-width bar.
    constexpr char32_t kBar = 0xFF5C;
    return OneCharacter(Without(set, CodeSet::Of(kBar)), next, builder_);
  }
  std::vector<GrammarEdge> letters, more;
  for (const Escape& escape : kEscapes)
    if (set.Contains(escape.code)) letters.push_back(On(escape.letter, next));
  if (!letters.empty()) more.push_back(On('\\', builder_->Match(std::move(letters))));
  return OneCharacter(Without(set, EscapedCodes()), next, builder_, std::move(more));
}

// A tree over the taken keys, by characters, made from its leaves: what leaves the tree is another
// key, and what ends inside of it is one where no taken key ends.
GrammarNodeId JsonGrammar::OtherKey(const std::vector<std::string_view>& taken, Node next) {
  const Node end = builder_->Byte('"', next);
  const Node text = builder_->Reserve();
  std::vector<GrammarEdge> edges = TextEdges(text);
  edges.back() = On('"', next);  // in place of the escapes
  builder_->Set(text, std::move(edges), /*text=*/true);
  struct Open {
    std::vector<CodeRange> codes;
    std::vector<Node> choices;
    bool taken = false;
  };
  std::vector<std::u32string> keys;
  for (const std::string_view key : taken) keys.push_back(CodesOf(key));
  std::ranges::sort(keys);
  std::vector<Open> path(1);
  std::u32string current;
  const auto close = [&](Open open) {
    open.choices.push_back(
        OneCharacter(Without(PlainCodes(), CodeSet(std::move(open.codes))), text, builder_));
    if (!open.taken) open.choices.push_back(end);
    return builder_->Fork(std::move(open.choices));
  };
  const auto close_to = [&](std::size_t depth) {
    while (path.size() > depth + 1) {
      const Node child = close(std::move(path.back()));
      path.pop_back();
      const char32_t code = current[path.size() - 1];
      path.back().codes.push_back({code, code});
      path.back().choices.push_back(
          OneCharacter(Without(CodeSet::Of(code), EscapedCodes()), child, builder_));
    }
  };
  for (const std::u32string& key : keys) {
    close_to(static_cast<std::size_t>(std::ranges::mismatch(current, key).in1 - current.begin()));
    current = key;
    path.resize(current.size() + 1);
    path.back().taken = true;
  }
  close_to(0);
  return builder_->Byte('"', close(std::move(path.front())));
}

GrammarNodeId JsonGrammar::List(char open, char close, const Builder::Count& count, Node next,
                                const Builder::Body& item) {
  const Node end = builder_->Byte(close, next);
  if (count.max == 0) return builder_->Byte(open, Space(end));
  // One turn is one item with what stands before it: nothing, or a comma.
  const Node spaced_end = Space(end);
  const auto later = [&](Node again) { return builder_->Byte(',', Space(item(again))); };
  const auto first = [&](Node again) { return Space(item(again)); };
  const Builder::Count rest{count.min > 0 ? count.min - 1 : 0,
                            count.max == kUnbounded ? kUnbounded : count.max - 1};
  const Node more = builder_->Repeat(rest, spaced_end, later);
  const Node begin = first(more);
  return builder_->Byte(open, count.min == 0 ? builder_->Fork({begin, spaced_end}) : begin);
}

GrammarRuleId JsonGrammar::ObjectRule() {
  if (object_) return *object_;
  object_ = builder_->ReserveRule();
  builder_->SetRule(*object_, List('{', '}', {}, Builder::kReturn, [this](Node again) {
    return String({}, builder_->Byte(':', SpaceAfterColon(Value(again))));
  }));
  return *object_;
}

GrammarRuleId JsonGrammar::ArrayRule() {
  if (array_) return *array_;
  array_ = builder_->ReserveRule();
  builder_->SetRule(
      *array_, List('[', ']', {}, Builder::kReturn, [this](Node again) { return Value(again); }));
  return *array_;
}

GrammarRuleId JsonGrammar::ValueRule() {
  if (value_) return *value_;
  value_ = builder_->ReserveRule();
  builder_->SetRule(*value_, builder_->Fork({
                                 builder_->Call(ObjectRule(), Builder::kReturn, /*guarded=*/true),
                                 builder_->Call(ArrayRule(), Builder::kReturn, /*guarded=*/true),
                                 String({}, Builder::kReturn),
                                 Number(Builder::kReturn),
                                 builder_->Literal("true", Builder::kReturn),
                                 builder_->Literal("false", Builder::kReturn),
                                 builder_->Literal("null", Builder::kReturn),
                             }));
  return *value_;
}

namespace {

// At most `most` digits after a first one that is not zero, or zero alone.
GrammarNodeId Digits(std::uint32_t most, GrammarNodeId next, Builder* builder) {
  const GrammarNodeId more = builder->Repeat({0, most - 1}, next, [builder](GrammarNodeId again) {
    return builder->Byte('0', '9', again);
  });
  return builder->Match({On('0', next), {'1', '9', more}});
}

}  // namespace

GrammarRuleId JsonGrammar::IntegerRule() {
  if (integer_) return *integer_;
  integer_ = builder_->ReserveRule();
  const Node digits = Digits(kIntegerDigits, Builder::kReturn, builder_);
  builder_->SetRule(*integer_, builder_->Fork({digits, builder_->Byte('-', digits)}));
  return *integer_;
}

GrammarRuleId JsonGrammar::NumberRule() {
  if (number_) return *number_;
  number_ = builder_->ReserveRule();
  const auto digit = [this](Node again) { return builder_->Byte('0', '9', again); };
  const Node exponent = builder_->Repeat({1, 2}, Builder::kReturn, digit);
  const Node sign =
      builder_->Fork({builder_->Match({On('+', exponent), On('-', exponent)}), exponent});
  const Node power =
      builder_->Fork({builder_->Match({On('e', sign), On('E', sign)}), Builder::kReturn});
  const Node fraction = builder_->Repeat({1, kFractionDigits}, power, digit);
  const Node rest = builder_->Fork({builder_->Byte('.', fraction), power});
  const Node digits = Digits(kIntegerDigits, rest, builder_);
  builder_->SetRule(*number_, builder_->Fork({digits, builder_->Byte('-', digits)}));
  return *number_;
}

}  // namespace hadal
