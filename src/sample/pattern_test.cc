#include "sample/pattern.h"

#include <gtest/gtest.h>

#include <regex>

#include "sample/grammar_test_data.h"

namespace hadal {
namespace {

using nlohmann::json;

bool PatternTakes(const std::string& pattern, const std::string& text) {
  const json schema = {{"type", "string"}, {"pattern", pattern}};
  return SchemaTakes(schema.dump(), json(text).dump());
}

TEST(Pattern, AgreesWithARegularExpressionEngine) {
  const char* kPatterns[] = {"^a*b+c?$",    "ab|cd",     "^(ab|a)(c|bcd)$", "^[^a-c]{2,4}$",
                             "^\\w+\\d$",   "a.c",       "^(?:x|yz){2}$",   "[a-c]{2}",
                             "^\\S+@\\S+$", "^a{0,3}b$", "^(a|b)*?c$",      "^\\$\\.\\-$",
                             "^a|b$"};
  Random random(5);
  for (const char* pattern : kPatterns) {
    const std::regex engine(pattern);
    for (int i = 0; i < 60; ++i) {
      std::string text;
      for (std::uint64_t n = random.Below(7); n > 0; --n) text += "abcxyz1d@ $.-"[random.Below(13)];
      EXPECT_EQ(PatternTakes(pattern, text), std::regex_search(text, engine))
          << pattern << " on " << text;
    }
  }
}

TEST(Pattern, CharactersBeyondAscii) {
  EXPECT_TRUE(PatternTakes("^[\\u00e0-\\u00ff]{2}$", "\u00E9\u00FC"));
  EXPECT_FALSE(PatternTakes("^[\\u00e0-\\u00ff]{2}$", "\u00E9z"));
  EXPECT_TRUE(PatternTakes("^[^a]$", "\U0001F600"));
  EXPECT_TRUE(PatternTakes("^\\u{1F600}\u00E9$", "\U0001F600\u00E9"));
  EXPECT_TRUE(PatternTakes("^[\\ud000-\\uffff]$", "\uE000"));
  for (const char* pattern : {"^[a\\u{110000}]$", "^a|\\u{FFFFFF}$", "^[b-\\u{110000}]$"})
    EXPECT_FALSE(CompileJson(json{{"type", "string"}, {"pattern", pattern}}.dump()).ok())
        << pattern;
  EXPECT_TRUE(PatternTakes("^a\\nb\"\\\\$", "a\nb\"\\")) << "escaped as JSON wants it";
}

TEST(Pattern, LengthsBesideAPattern) {
  const std::string both = R"({"type":"string","pattern":"^[a-z]+$","maxLength":3})";
  EXPECT_TRUE(SchemaTakes(both, "\"abc\""));
  EXPECT_FALSE(SchemaTakes(both, "\"abcd\""));
  EXPECT_FALSE(CompileJson(R"({"type":"string","pattern":"^(ab)+$","maxLength":3})").ok());
}

TEST(Pattern, Formats) {
  struct Case {
    const char *format, *text;
    bool good;
  };
  const Case kCases[] = {{"date", "2024-02-29", true},
                         {"date", "2023-02-29", false},
                         {"date", "1900-02-29", false},
                         {"date", "2000-02-29", true},
                         {"date", "2024-04-31", false},
                         {"date", "2024-4-1", false},
                         {"time", "23:59:59Z", true},
                         {"time", "24:00:00Z", false},
                         {"date-time", "2024-12-31T23:59:59.123+02:00", true},
                         {"date-time", "2024-12-31 23:59:59Z", false},
                         {"uuid", "123e4567-e89b-12d3-a456-426614174000", true},
                         {"uuid", "123e4567e89b12d3a456426614174000", false},
                         {"email", "a.b+c@example.org", true},
                         {"email", "a..b@example.org", false},
                         {"email", "a@example", false},
                         {"ipv4", "192.168.0.255", true},
                         {"ipv4", "192.168.0.256", false},
                         {"ipv4", "01.2.3.4", false},
                         {"ipv6", "::1", true},
                         {"ipv6", "2001:db8::ff00:42:8329", true},
                         {"ipv6", "1:2:3:4:5:6:7:8:9", false},
                         {"hostname", "a-b.example", true},
                         {"hostname", "-a.example", false},
                         {"uri", "https://example.org:80/a%20b?x=1#y", true},
                         {"uri", "no uri", false},
                         {"duration", "P3DT4H", true},
                         {"duration", "P", false}};
  for (const Case& c : kCases)
    EXPECT_EQ(
        SchemaTakes(json{{"type", "string"}, {"format", c.format}}.dump(), json(c.text).dump()),
        c.good)
        << c.format << " " << c.text;
}

}  // namespace
}  // namespace hadal
