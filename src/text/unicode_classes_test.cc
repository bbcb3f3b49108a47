#include "text/unicode_classes.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

TEST(CodeSet, Algebra) {
  const CodeSet a({{10, 20}, {15, 30}, {31, 40}, {50, 60}});
  EXPECT_EQ(a, CodeSet({{10, 40}, {50, 60}})) << "neighbours and overlaps join";
  EXPECT_TRUE(a.Contains(10) && a.Contains(40) && !a.Contains(41) && !a.Contains(9));
  EXPECT_EQ(a.Intersection(CodeSet({{35, 55}})), CodeSet({{35, 40}, {50, 55}}));
  EXPECT_EQ(a.Complement(), CodeSet({{0, 9}, {41, 49}, {61, kLastCodePoint}}));
  EXPECT_EQ(a.Complement().Complement(), a);
  EXPECT_EQ(CodeSet().Complement().ranges().size(), 1u);
  EXPECT_TRUE(a.ContainsAll(CodeSet::Of(55)));
  EXPECT_FALSE(a.ContainsAll(CodeSet({{39, 41}})));
}

TEST(UnicodeClasses, NamesAndSpotChecks) {
  EXPECT_TRUE(UnicodeClass("Lu")->Contains(U'A'));
  EXPECT_FALSE(UnicodeClass("Lu")->Contains(U'a'));
  EXPECT_TRUE(UnicodeClass("nd")->Contains(0x0663)) << "ARABIC-INDIC DIGIT THREE";
  EXPECT_FALSE(UnicodeClass("Nd")->Contains(0x00B2)) << "SUPERSCRIPT TWO is No";
  EXPECT_TRUE(UnicodeClass("Han")->Contains(0x3005)) << "IDEOGRAPHIC ITERATION MARK";
  EXPECT_FALSE(UnicodeClass("Han")->Contains(0x3002)) << "the full stop is Common";
  EXPECT_TRUE(UnicodeClass("Cn")->Contains(0x0378));
  EXPECT_FALSE(UnicodeClass("Latin").has_value());
  EXPECT_FALSE(UnicodeClass("").has_value());
  EXPECT_TRUE(WhiteSpace().Contains(0x85));
  EXPECT_FALSE(WhiteSpace().Contains(0xFEFF) || WhiteSpace().Contains(0x200B));
  EXPECT_TRUE(WordCharacters().Contains('_') && WordCharacters().Contains(0x24D0));
  EXPECT_FALSE(WordCharacters().Contains('-') || WordCharacters().Contains(0x00B2));
}

TEST(UnicodeClasses, EveryCodePointHasExactlyOneMajorCategory) {
  std::size_t total = 0;
  for (const char* name : {"L", "M", "N", "P", "S", "Z", "C"}) {
    const CodeSet set = *UnicodeClass(name);
    for (const CodeRange& range : set.ranges()) total += range.last - range.first + 1;
  }
  EXPECT_EQ(total, kLastCodePoint + 1u);
}

TEST(UnicodeClasses, EqualTheSharedTable) {
  HADAL_NEEDS_SHARED(dir);
  const std::string path = dir + "/golden/text/unicode_classes.json";
  const Result<std::string> text = ReadFile(path);
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  const Result<MetadataDocument> table = ParseJson(*text, path);
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  int compared = 0;
  for (const Metadata::Member& member : table->root().members()) {
    std::vector<CodeRange> ranges;
    for (const Metadata& pair : member.value.items())
      ranges.push_back({static_cast<char32_t>(*pair.items()[0].integer()),
                        static_cast<char32_t>(*pair.items()[1].integer())});
    const std::optional<CodeSet> ours =
        member.key == "space" ? WhiteSpace() : UnicodeClass(member.key);
    ASSERT_TRUE(ours.has_value()) << member.key;
    EXPECT_EQ(*ours, CodeSet(ranges)) << member.key;
    ++compared;
  }
  EXPECT_EQ(compared, 12);
}

}  // namespace
}  // namespace hadal
