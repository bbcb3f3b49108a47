#include <optional>

#include "base/utf8.h"
#include "sample/pattern.h"
#include "sample/pattern_tree.h"

namespace hadal {
namespace {

using Kind = PatternNode::Kind;

const CodeSet kDigits({{'0', '9'}});
const CodeSet kWord({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
const CodeSet kSpace({{0x09, 0x0D},
                      {0x20, 0x20},
                      {0xA0, 0xA0},
                      {0x1680, 0x1680},
                      {0x2000, 0x200A},
                      {0x2028, 0x2029},
                      {0x202F, 0x202F},
                      {0x205F, 0x205F},
                      {0x3000, 0x3000},
                      {0xFEFF, 0xFEFF}});
const CodeSet kLineEnds({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}});

class PatternParser {
 public:
  PatternParser(std::string_view pattern, std::string where)
      : codes_(CodesOf(pattern)), where_(std::move(where)) {}

  Result<PatternNode> Parse() {
    HADAL_ASSIGN_OR_RETURN(PatternNode tree, Choice(0));
    if (!AtEnd()) return Bad("a closing bracket without an opening one");
    return tree;
  }

 private:
  bool AtEnd() const { return at_ == codes_.size(); }
  char32_t Peek(std::size_t ahead = 0) const {
    return at_ + ahead < codes_.size() ? codes_[at_ + ahead] : char32_t{0xFFFFFFFF};
  }
  bool Take(char32_t code) {
    if (Peek() != code) return false;
    ++at_;
    return true;
  }
  bool Take(std::u32string_view text) {
    if (codes_.compare(at_, text.size(), text) != 0) return false;
    at_ += text.size();
    return true;
  }
  Status Bad(const std::string& found) const {
    return UsageError(where_, found + " at character " + std::to_string(at_),
                      "a pattern that is understood",
                      "rewrite the pattern without it (docs/structured-output.md)");
  }

  Result<PatternNode> Choice(int depth) {
    if (depth > kMostPatternDepth) return Bad("groups nested deeper than 50");
    PatternNode choice{.kind = Kind::kChoice};
    do {
      HADAL_ASSIGN_OR_RETURN(PatternNode sequence, Sequence(depth));
      choice.parts.push_back(std::move(sequence));
    } while (Take('|'));
    if (choice.parts.size() == 1) return std::move(choice.parts.front());
    return choice;
  }

  Result<PatternNode> Sequence(int depth) {
    PatternNode sequence{.kind = Kind::kSequence};
    while (!AtEnd() && Peek() != '|' && Peek() != ')') {
      HADAL_ASSIGN_OR_RETURN(PatternNode part, Atom(depth));
      HADAL_RETURN_IF_ERROR(Quantify(&part));
      sequence.parts.push_back(std::move(part));
    }
    return sequence;
  }

  Result<PatternNode> Atom(int depth) {
    if (Take('^')) return PatternNode{.kind = Kind::kBegin};
    if (Take('$')) return PatternNode{.kind = Kind::kEnd};
    if (Take('.')) return Set(kLineEnds.Complement());
    if (Take('(')) return Group(depth);
    if (Take('[')) return Class();
    if (Take('\\')) {
      HADAL_ASSIGN_OR_RETURN(CodeSet set, EscapedSet());
      return Set(std::move(set));
    }
    const char32_t code = Peek();
    if (code == '*' || code == '+' || code == '?' || code == '{' || code == '}')
      return Bad("a quantifier without anything before it");
    ++at_;
    return Set(CodeSet::Of(code));
  }

  static PatternNode Set(CodeSet set) { return {.kind = Kind::kSet, .set = std::move(set)}; }

  Result<PatternNode> Group(int depth) {
    if (Peek() == '?') {
      const bool named = Peek(1) == '<' && Peek(2) != '=' && Peek(2) != '!';
      if (named) {
        while (!AtEnd() && Peek() != '>') ++at_;
        if (!Take('>')) return Bad("a group's name that does not end");
      } else if (!Take(U"?:")) {
        return Bad("look-around or a flag");
      }
    }
    HADAL_ASSIGN_OR_RETURN(PatternNode inner, Choice(depth + 1));
    if (!Take(')')) return Bad("a group that does not end");
    return inner;
  }

  std::optional<std::uint32_t> Number() {
    if (Peek() < '0' || Peek() > '9') return std::nullopt;
    std::uint32_t value = 0;
    for (; Peek() >= '0' && Peek() <= '9'; ++at_)
      value = std::min(value * 10 + (Peek() - '0'), kMostRepeat + 1);
    return value;
  }

  Status Quantify(PatternNode* part) {
    std::uint32_t min = 0, max = kUnbounded;
    if (Take('+')) {
      min = 1;
    } else if (Take('?')) {
      max = 1;
    } else if (Take('{')) {
      const auto least = Number();
      if (!least) return Bad("a brace without a count");
      min = max = *least;
      if (Take(',')) max = Number().value_or(kUnbounded);
      if (!Take('}')) return Bad("a count that does not end");
      if (min > max) return Bad("a count of which the least is above the most");
      if (min > kMostRepeat || (max != kUnbounded && max > kMostRepeat))
        return Bad("a count above 10000");
    } else if (!Take('*')) {
      return {};
    }
    if (part->kind == Kind::kBegin || part->kind == Kind::kEnd) return Bad("a repeated anchor");
    Take('?');  // a lazy quantifier finds the same texts
    if (Peek() == '*' || Peek() == '+' || Peek() == '?') return Bad("a doubled quantifier");
    PatternNode repeat{.kind = Kind::kRepeat, .min = min, .max = max};
    repeat.parts.push_back(std::move(*part));
    *part = std::move(repeat);
    return {};
  }

  Result<char32_t> Hex(std::size_t digits) {
    char32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
      const char32_t c = Peek();
      const char32_t digit = c >= '0' && c <= '9'   ? c - '0'
                             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                    : 16;
      if (digit > 15) return Bad("an escape that is not hexadecimal");
      value = value * 16 + digit;
    }
    return value;
  }

  Result<char32_t> UnicodeEscape() {
    if (Take('{')) {
      std::size_t digits = 0;
      while (digits < 7 && Peek(digits) != '}') ++digits;
      if (digits == 0 || digits > 6) return Bad("an escape that is not hexadecimal");
      HADAL_ASSIGN_OR_RETURN(const char32_t code, Hex(digits));
      ++at_;
      if (code > kLastCodePoint) return Bad("a character above U+10FFFF");
      return code;
    }
    HADAL_ASSIGN_OR_RETURN(const char32_t code, Hex(4));
    if (code < 0xD800 || code > 0xDBFF || !Take(U"\\u")) return code;
    HADAL_ASSIGN_OR_RETURN(const char32_t low, Hex(4));
    if (low < 0xDC00 || low > 0xDFFF) return Bad("half a character");
    return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }

  // Behind a backslash.
  Result<CodeSet> EscapedSet() {
    const char32_t letter = Peek();
    ++at_;
    switch (letter) {
      case 'd':
        return kDigits;
      case 'D':
        return kDigits.Complement();
      case 'w':
        return kWord;
      case 'W':
        return kWord.Complement();
      case 's':
        return kSpace;
      case 'S':
        return kSpace.Complement();
      case 't':
        return CodeSet::Of('\t');
      case 'n':
        return CodeSet::Of('\n');
      case 'r':
        return CodeSet::Of('\r');
      case 'f':
        return CodeSet::Of('\f');
      case 'v':
        return CodeSet::Of('\v');
      case '0':
        return CodeSet::Of(0);
      case 'x':
      case 'u': {
        HADAL_ASSIGN_OR_RETURN(const char32_t code, letter == 'x' ? Hex(2) : UnicodeEscape());
        return CodeSet::Of(code);
      }
      default:
        break;
    }
    const bool alphanumeric = kWord.Contains(letter) && letter != '_';
    if (alphanumeric || letter > kLastCodePoint) return Bad("an escape that is not understood");
    return CodeSet::Of(letter);
  }

  static std::optional<char32_t> Single(const CodeSet& set) {
    const auto ranges = set.ranges();
    if (ranges.size() != 1 || ranges[0].first != ranges[0].last) return std::nullopt;
    return ranges[0].first;
  }

  Result<PatternNode> Class() {
    const bool negated = Take('^');
    std::vector<CodeRange> ranges;
    while (!Take(']')) {
      if (AtEnd()) return Bad("a class that does not end");
      HADAL_ASSIGN_OR_RETURN(const CodeSet first, ClassMember());
      if (const auto from = Single(first); from && Peek() == '-' && Peek(1) != ']') {
        ++at_;
        if (AtEnd()) return Bad("a class that does not end");
        HADAL_ASSIGN_OR_RETURN(const CodeSet last, ClassMember());
        const auto to = Single(last);
        if (!to || *to < *from) return Bad("a range that runs backwards");
        ranges.push_back({*from, *to});
      } else {
        ranges.insert(ranges.end(), first.ranges().begin(), first.ranges().end());
      }
    }
    const CodeSet set(std::move(ranges));
    return Set(negated ? set.Complement() : set);
  }

  Result<CodeSet> ClassMember() {
    if (Take('\\')) {
      if (Take('b')) return CodeSet::Of('\b');
      return EscapedSet();
    }
    const char32_t code = Peek();
    ++at_;
    return CodeSet::Of(code);
  }

  std::u32string codes_;
  std::string where_;
  std::size_t at_ = 0;
};

}  // namespace

Result<PatternNode> ParsePattern(std::string_view pattern, const std::string& where) {
  if (pattern.size() > kMostPatternBytes)
    return UsageError(where, std::to_string(pattern.size()) + " bytes", "at most 2048",
                      "use a shorter pattern");
  if (!IsUtf8(pattern))
    return UsageError(where, "bytes that are not UTF-8", "text", "convert the pattern to UTF-8");
  return PatternParser(pattern, where).Parse();
}

}  // namespace hadal
