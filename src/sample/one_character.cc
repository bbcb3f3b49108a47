#include "sample/one_character.h"

#include <algorithm>

#include "text/utf8.h"

namespace hadal {
namespace {

std::string Spelled(char32_t code) {
  std::string bytes;
  AppendUtf8(&bytes, code);
  return bytes;
}

// Ranges whose spellings are every combination of one byte range a place: split where the length
// changes, and where a later byte does not run over all of its values.
void Split(CodeRange range, std::vector<CodeRange>* out) {
  for (const char32_t end : {0x7Fu, 0x7FFu, 0xFFFFu}) {
    if (range.first <= end && end < range.last) {
      Split({range.first, end}, out);
      Split({end + 1, range.last}, out);
      return;
    }
  }
  const std::size_t size = Spelled(range.last).size();
  for (std::size_t i = 1; i < size; ++i) {
    const char32_t rest = (char32_t{1} << (6 * i)) - 1;
    if ((range.first & ~rest) == (range.last & ~rest)) continue;
    if ((range.first & rest) != 0) {
      Split({range.first, range.first | rest}, out);
      Split({(range.first | rest) + 1, range.last}, out);
      return;
    }
    if ((range.last & rest) != rest) {
      Split({range.first, (range.last & ~rest) - 1}, out);
      Split({range.last & ~rest, range.last}, out);
      return;
    }
  }
  out->push_back(range);
}

}  // namespace

const CodeSet& AllCharacters() {
  static const CodeSet kAll({{0, 0xD7FF}, {0xE000, kLastCodePoint}});
  return kAll;
}

CodeSet Without(const CodeSet& set, const CodeSet& other) {
  return set.Intersection(other.Complement());
}

std::u32string CodesOf(std::string_view text) {
  std::u32string codes;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Part part = NextUtf8Part(text, at);
    codes += part.point;
    at += part.length;
  }
  return codes;
}

GrammarNodeId OneCharacter(const CodeSet& set, GrammarNodeId next, GrammarBuilder* builder,
                           std::vector<GrammarEdge> more) {
  std::vector<CodeRange> pieces;
  const CodeSet characters = set.Intersection(AllCharacters());
  for (const CodeRange& range : characters.ranges()) Split(range, &pieces);
  std::vector<GrammarNodeId> others;  // that begin with a byte that is taken already
  const GrammarNodeId any_tail = builder->Byte(0x80, 0xBF, next);
  for (const CodeRange& piece : pieces) {
    const std::string low = Spelled(piece.first), high = Spelled(piece.last);
    const auto byte = [](char c) { return static_cast<unsigned char>(c); };
    GrammarNodeId after = next;
    for (std::size_t i = low.size() - 1; i > 0; --i) {
      const bool any = after == next && byte(low[i]) == 0x80 && byte(high[i]) == 0xBF;
      after = any ? any_tail : builder->Byte(byte(low[i]), byte(high[i]), after);
    }
    const GrammarEdge edge{byte(low[0]), byte(high[0]), after};
    const bool taken = std::ranges::any_of(more, [&](const GrammarEdge& other) {
      return other.low <= edge.high && edge.low <= other.high;
    });
    if (taken)
      others.push_back(builder->Match({edge}));
    else
      more.push_back(edge);
  }
  others.push_back(builder->Match(std::move(more)));
  return builder->Fork(std::move(others));
}

}  // namespace hadal
