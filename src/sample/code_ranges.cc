#include "sample/code_ranges.h"

#include <algorithm>
#include <array>

namespace hadal {
namespace {

struct Bytes {
  std::array<unsigned char, 4> at{};
  int size = 0;
};

Bytes Utf8(char32_t code) {
  const auto byte = [](char32_t value) { return static_cast<unsigned char>(value); };
  if (code < 0x80) return {{byte(code)}, 1};
  if (code < 0x800) return {{byte(0xC0 | code >> 6), byte(0x80 | (code & 63))}, 2};
  if (code < 0x10000)
    return {{byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63))}, 3};
  return {{byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 63)), byte(0x80 | (code >> 6 & 63)),
           byte(0x80 | (code & 63))},
          4};
}

// Ranges whose spellings are every combination of one byte range a place: split where the length
// changes, and where a later byte does not run over all of its values.
void Split(CodeRange range, std::vector<CodeRange>* out) {
  for (const char32_t end : {0x7Fu, 0x7FFu, 0xFFFFu}) {
    if (range.low <= end && end < range.high) {
      Split({range.low, end}, out);
      Split({end + 1, range.high}, out);
      return;
    }
  }
  const int size = Utf8(range.high).size;
  for (int i = 1; i < size; ++i) {
    const char32_t rest = (char32_t{1} << (6 * i)) - 1;
    if ((range.low & ~rest) == (range.high & ~rest)) continue;
    if ((range.low & rest) != 0) {
      Split({range.low, range.low | rest}, out);
      Split({(range.low | rest) + 1, range.high}, out);
      return;
    }
    if ((range.high & rest) != rest) {
      Split({range.low, (range.high & ~rest) - 1}, out);
      Split({range.high & ~rest, range.high}, out);
      return;
    }
  }
  out->push_back(range);
}

}  // namespace

CodeRanges Normalized(CodeRanges ranges) {
  std::ranges::sort(ranges, {}, &CodeRange::low);
  CodeRanges joined;
  for (const CodeRange& range : ranges) {
    if (range.low > range.high) continue;
    if (!joined.empty() && range.low <= joined.back().high + 1)
      joined.back().high = std::max(joined.back().high, range.high);
    else
      joined.push_back(range);
  }
  CodeRanges out;
  for (const CodeRange& range : joined) {
    const CodeRange below{range.low, std::min<char32_t>(range.high, 0xD7FF)};
    const CodeRange above{std::max<char32_t>(range.low, 0xE000), std::min(range.high, kLastCode)};
    if (below.low <= below.high) out.push_back(below);
    if (above.low <= above.high) out.push_back(above);
  }
  return out;
}

CodeRanges Complement(const CodeRanges& ranges) {
  CodeRanges out;
  char32_t next = 0;
  for (const CodeRange& range : ranges) {
    if (range.low > next) out.push_back({next, range.low - 1});
    next = range.high + 1;
  }
  if (next <= kLastCode) out.push_back({next, kLastCode});
  return Normalized(std::move(out));
}

bool Contains(const CodeRanges& ranges, char32_t code) {
  const auto found = std::ranges::lower_bound(ranges, code, {}, &CodeRange::high);
  return found != ranges.end() && found->low <= code;
}

CodeRanges Without(const CodeRanges& ranges, const CodeRanges& other) {
  CodeRanges outside = Complement(ranges);
  outside.insert(outside.end(), other.begin(), other.end());
  return Complement(Normalized(std::move(outside)));
}

std::u32string CodesOf(std::string_view text) {
  std::u32string codes;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80)
      codes += byte;
    else if (byte >= 0xC0)
      codes += static_cast<char32_t>(byte & (byte < 0xE0 ? 0x1F : byte < 0xF0 ? 0x0F : 0x07));
    else if (!codes.empty())
      codes.back() = codes.back() << 6 | (byte & 0x3Fu);
  }
  return codes;
}

GrammarNodeId OneCharacter(const CodeRanges& ranges, GrammarNodeId next, GrammarBuilder* builder,
                           std::vector<GrammarEdge> more) {
  std::vector<CodeRange> pieces;
  for (const CodeRange& range : ranges) Split(range, &pieces);
  std::vector<GrammarNodeId> others;  // that begin with a byte that is taken already
  const GrammarNodeId any_tail = builder->Byte(0x80, 0xBF, next);
  for (const CodeRange& piece : pieces) {
    const Bytes low = Utf8(piece.low), high = Utf8(piece.high);
    GrammarNodeId after = next;
    for (int i = low.size - 1; i > 0; --i) {
      const auto at = static_cast<std::size_t>(i);
      const bool any = after == next && low.at[at] == 0x80 && high.at[at] == 0xBF;
      after = any ? any_tail : builder->Byte(low.at[at], high.at[at], after);
    }
    const GrammarEdge edge{low.at[0], high.at[0], after};
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
