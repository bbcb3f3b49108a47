#include "text/unicode_classes.h"

#include <array>
#include <string>

#include "text/unicode_table.h"

namespace hadal {
namespace {

// The order of the indices in kCategoryRuns.
constexpr std::array<std::string_view, 30> kCategoryNames = {
    "lu", "ll", "lt", "lm", "lo", "mn", "mc", "me", "nd", "nl", "no", "pc", "pd", "ps", "pe",
    "pi", "pf", "po", "sm", "sc", "sk", "so", "zs", "zl", "zp", "cc", "cf", "cs", "co", "cn"};

bool BelongsTo(std::string_view category, std::string_view name) {
  if (name == "lc") return category == "lu" || category == "ll" || category == "lt";
  return name.size() == 1 ? category[0] == name[0] : category == name;
}

CodeSet Gather(std::string_view name) {
  std::vector<CodeRange> ranges;
  char32_t next = 0;
  for (std::size_t i = 0; i < unicode::kCategoryRunCount; ++i) {
    const std::uint32_t run = unicode::kCategoryRuns[i];
    const char32_t end = next + (run >> 5);
    if (BelongsTo(kCategoryNames[run & 31], name)) ranges.push_back({next, end - 1});
    next = end;
  }
  return CodeSet(std::move(ranges));
}

CodeSet FromTable(const CodeRange* ranges, std::size_t count) {
  return CodeSet(std::vector<CodeRange>(ranges, ranges + count));
}

}  // namespace

std::optional<CodeSet> UnicodeClass(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c == '_' || c == '-' || c == ' ') continue;
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (folded == "han") return FromTable(unicode::kHan, unicode::kHanCount);
  for (const std::string_view category : kCategoryNames)
    if (!folded.empty() && BelongsTo(category, folded)) return Gather(folded);
  return std::nullopt;
}

const CodeSet& WhiteSpace() {
  static const CodeSet set = FromTable(unicode::kWhiteSpace, unicode::kWhiteSpaceCount);
  return set;
}

const CodeSet& WordCharacters() {
  // Alphabetic is L, Nl and Other_Alphabetic; the part of the latter outside the marks is the
  // circled and squared letters (PropList.txt). U+200C and U+200D are Join_Control.
  static const CodeSet set = CodeSet({{0x24B6, 0x24E9},
                                      {0x1F130, 0x1F149},
                                      {0x1F150, 0x1F169},
                                      {0x1F170, 0x1F189},
                                      {0x200C, 0x200D}})
                                 .Union(Gather("l"))
                                 .Union(Gather("m"))
                                 .Union(Gather("nd"))
                                 .Union(Gather("nl"))
                                 .Union(Gather("pc"));
  return set;
}

}  // namespace hadal
