// The pattern dialect, through the whole way: parser, alphabet, PCRE2, split behaviours. Expected
// pieces are what Oniguruma gives inside the `tokenizers` library 0.23.3.
#include <gtest/gtest.h>

#include "text/pre_tokenizer.h"

namespace hadal {
namespace {

using Pieces = std::vector<std::string>;

Result<Pieces> TrySplit(std::string_view pattern, std::string_view text,
                        SplitBehavior behavior = SplitBehavior::kIsolated, bool invert = false) {
  HADAL_ASSIGN_OR_RETURN(RegexTree tree, ParseRegex(pattern, "test"));
  std::vector<SplitStep> steps;
  steps.push_back({.pattern = std::move(tree), .behavior = behavior, .invert = invert});
  HADAL_ASSIGN_OR_RETURN(const PreTokenizer splitter,
                         PreTokenizer::FromSteps(std::move(steps), "test"));
  MatchScratch scratch;
  std::string changed;
  std::vector<std::string_view> views;
  HADAL_RETURN_IF_ERROR(splitter.Split(text, &scratch, &changed, &views));
  return Pieces(views.begin(), views.end());
}

Pieces Split(std::string_view pattern, std::string_view text,
             SplitBehavior behavior = SplitBehavior::kIsolated, bool invert = false) {
  const Result<Pieces> pieces = TrySplit(pattern, text, behavior, invert);
  EXPECT_TRUE(pieces.ok()) << pattern << ": " << pieces.status().ToString();
  return pieces.ok() ? *pieces : Pieces();
}
Pieces Matches(std::string_view pattern, std::string_view text) {
  return Split(pattern, text, SplitBehavior::kRemoved, true);
}

TEST(Regex, EscapesAndClasses) {
  EXPECT_EQ(Matches(R"(\n|\r|\t|\x41|\x{42}|\u0043|\_|\.)", "\n\r\tABC_.D"),
            (Pieces{"\n", "\r", "\t", "A", "B", "C", "_", "."}));
  EXPECT_EQ(Matches(R"(\s+)", "a \u3000\u0085b\uFEFFc\u200B"), (Pieces{" \u3000\u0085"}));
  EXPECT_EQ(Matches(R"(\d+)", "a12\u00B2\u0663"), (Pieces{"12", "\u0663"}));
  EXPECT_EQ(Matches(R"(\D+)", "1ab2"), (Pieces{"ab"}));
  EXPECT_EQ(Matches(R"([\p{Lu}&&[^\p{Han}]]+|\p{Han}+)", "AB\u4E2D\u6587c"),
            (Pieces{"AB", "\u4E2D\u6587"}));
  EXPECT_EQ(Matches(R"(\p{^L}+|\P{N}+)", "12ab"), (Pieces{"12", "ab"}));
  EXPECT_EQ(Matches(R"([^a-c&&b-d])", "abcde"), (Pieces{"a", "d", "e"}));
  EXPECT_EQ(Matches(R"([a[bc]-])", "a-bcd"), (Pieces{"a", "-", "b", "c"}));
  EXPECT_EQ(Matches(R"([]a])", "a]b"), (Pieces{"a", "]"}));
  EXPECT_EQ(Matches(R"([a-c-e])", "a-cde"), (Pieces{"a", "-", "c", "e"}));
  EXPECT_EQ(Matches(R"([&&a])", "a&"), Pieces{}) << "nothing and a";
  EXPECT_EQ(Matches(R"([\[\]\\^-])", "[]\\^-"), (Pieces{"[", "]", "\\", "^", "-"}));
  EXPECT_EQ(Matches(".", "a\n\u2028"), (Pieces{"a", "\u2028"}));
}

TEST(Regex, GroupsQuantifiersAndLookAround) {
  EXPECT_EQ(Matches("a{2}", "aaaaa"), (Pieces{"aa", "aa"}));
  EXPECT_EQ(Matches("a{,2}b", "aaab"), (Pieces{"aab"}));
  EXPECT_EQ(Matches("a{2,}", "aaa a"), (Pieces{"aaa"}));
  EXPECT_EQ(Matches("a{", "a{b"), (Pieces{"a{"})) << "no interval: a brace";
  EXPECT_EQ(Matches("x{,}", "x{,}"), (Pieces{"x{,}"}));
  EXPECT_EQ(Matches("a+?", "aa"), (Pieces{"a", "a"}));
  EXPECT_EQ(Matches("a++b|a", "aaab"), (Pieces{"aaab"}));
  EXPECT_EQ(Matches("a++a", "aaa"), Pieces{});
  EXPECT_EQ(Matches("(?>a|ab)c", "abc ac"), (Pieces{"ac"}));
  EXPECT_EQ(Matches("(ab|c)+", "abcab!"), (Pieces{"abcab"})) << "groups capture nothing";
  EXPECT_EQ(Matches(R"(\s+(?!\S))", "a   b  "), (Pieces{"  ", "  "}));
  EXPECT_EQ(Matches("(?<=a)b", "abb"), (Pieces{"b"}));
  EXPECT_EQ(Matches("(?<!a)b(?=c)", "abcbc"), (Pieces{"b"}));
  EXPECT_EQ(Split(R"(\s+$)", "a  \nb  "), (Pieces{"a", "  ", "\nb", "  "})) << "$ ends lines";
  EXPECT_EQ(Matches("^b", "bb\nb"), (Pieces{"b", "b"}));
  EXPECT_EQ(Matches(R"(\Ab|b\z)", "bb\nb"), (Pieces{"b", "b"}));
  EXPECT_EQ(Matches("b|", "ab"), (Pieces{"b"})) << "empty matches are no pieces";
}

TEST(Regex, IgnoringCase) {
  EXPECT_EQ(Matches("(?i:'s|k)", "'s'S'\u017F kK\u212A"),
            (Pieces{"'s", "'S", "'\u017F", "k", "K", "\u212A"}));
  EXPECT_EQ(Matches("(?i:[k-s])", "\u212A\u017FKz"), (Pieces{"\u212A", "\u017F", "K"}));
  EXPECT_EQ(Matches("(?i:[^as])+", "bAaS\u017Fc"), (Pieces{"b", "c"}));
  EXPECT_EQ(Matches("(?i:a)a", "Aa AA"), (Pieces{"Aa"})) << "only within the group";
  EXPECT_FALSE(TrySplit("(?i:\u00E9)", "").ok());
  EXPECT_FALSE(TrySplit("(?i:st)", "").ok()) << "would match U+FB06 too";
  EXPECT_TRUE(TrySplit(R"((?i:\p{L}[^\s]\P{Han}))", "").ok());
}

TEST(Regex, Behaviours) {
  using enum SplitBehavior;
  const std::string text = "-a--b-c-";
  EXPECT_EQ(Split("-", text, kIsolated), (Pieces{"-", "a", "-", "-", "b", "-", "c", "-"}));
  EXPECT_EQ(Split("-", text, kRemoved), (Pieces{"a", "b", "c"}));
  EXPECT_EQ(Split("-", text, kMergedWithPrevious), (Pieces{"-", "a-", "-", "b-", "c-"}));
  EXPECT_EQ(Split("-", text, kMergedWithPrevious, true), (Pieces{"-a", "-", "-b", "-c", "-"}));
  EXPECT_EQ(Split("-", text, kMergedWithNext), (Pieces{"-a", "-", "-b", "-c", "-"}));
  EXPECT_EQ(Split("-", text, kMergedWithNext, true), (Pieces{"-", "a-", "-", "b-", "c-"}));
  EXPECT_EQ(Split("-", text, kContiguous), (Pieces{"-", "a", "--", "b", "-", "c", "-"}));
  EXPECT_EQ(Split("x*", "axxbxc", kIsolated), (Pieces{"a", "xx", "b", "x", "c"}));
  EXPECT_EQ(Split("x*", "axxbxc", kMergedWithNext), (Pieces{"a", "xxb", "xc"}));
  EXPECT_EQ(Split("x*", "axxbxc", kMergedWithPrevious), (Pieces{"axx", "bx", "c"}));
  EXPECT_EQ(Split("", "abc"), (Pieces{"a", "b", "c"}));
  EXPECT_EQ(Split("-", ""), Pieces{});
}

TEST(Regex, RefusesWhatItDoesNotRunByName) {
  const std::pair<const char*, const char*> refused[] = {{R"(\w+)", "\\w"},
                                                         {R"(\bword)", "\\b"},
                                                         {R"((a)\1)", "\\1"},
                                                         {R"(\p{Latin})", "Latin"},
                                                         {R"(\pL)", "\\p without"},
                                                         {"(?i)a", "a group of a kind"},
                                                         {"(?<name>a)", "a group of a kind"},
                                                         {"[[:alpha:]]", "POSIX"},
                                                         {"a{2}+", "interval"},
                                                         {"a**", "quantifier of a quantifier"}};
  for (const auto& [pattern, name] : refused) {
    const Status status = TrySplit(pattern, "").status();
    EXPECT_EQ(status.code(), Code::kUnsupported) << pattern;
    EXPECT_NE(status.ToString().find(name), std::string::npos) << status.ToString();
  }
}

TEST(Regex, RefusesWhatIsNoPattern) {
  for (const char* pattern :
       {"(",       ")",           "a)",      "[",     "[a",    "[]",
        "[^]",     "*a",          "a|+",     "\\",    "[z-a]", "[\\s-x]",
        "[a-\\s]", "\\x{110000}", "\\x{zz}", "\\u12", "\\p{L", "\\p{}",
        "a{3,2}",  "a{99999999}", "(?=a)*",  "$+",    "\xFF",  "(?i:[a-\u00E9])"}) {
    const Status status = TrySplit(pattern, "").status();
    EXPECT_FALSE(status.ok()) << pattern;
    EXPECT_FALSE(status.where().empty() || status.found().empty() || status.expected().empty())
        << status.ToString();
  }
  EXPECT_FALSE(TrySplit(std::string(1000, '(') + std::string(1000, ')'), "").ok());
  EXPECT_FALSE(TrySplit(std::string(1000, '['), "").ok());
  EXPECT_FALSE(TrySplit(std::string(100000, 'a'), "").ok());
  EXPECT_FALSE(TrySplit("(?:(?:(?:a{9999}){9999}){9999}){9999}", "").ok());
  std::string many;  // each character is a symbol of its own
  for (int i = 0; i < 300; ++i) many += "\\u" + std::to_string(4000 + i);
  EXPECT_FALSE(TrySplit(many, "").ok());
}

TEST(Regex, Cve2025_1194_RunawayPatternsEndInAnError) {
  const Status status = TrySplit("(?:a|a)*b", std::string(40, 'a') + "cb").status();
  EXPECT_EQ(status.code(), Code::kFailed);
  EXPECT_NE(status.ToString().find("too long"), std::string::npos);
  // Deep backtracking that PCRE2's default stack does not hold is no failure.
  EXPECT_EQ(Split("(?:ab|a|b)*c", std::string(20000, 'a') + "c").size(), 1u);
}

// A run that an alternative cannot finish must not be tried again from each of its characters: here
// that would be 10^11 steps.
TEST(Regex, Llama21113_LongRunsTakeLinearTime) {
  const std::string spaces(300000, ' ');
  EXPECT_EQ(Split(R"(\s+$)", spaces + "x"), (Pieces{spaces + "x"}));
  EXPECT_EQ(Split(R"(\s*[\r\n]+)", spaces + "x\n"), (Pieces{spaces + "x", "\n"}));
  EXPECT_EQ(Split(R"(\s*[\r\n]+|\s+(?!\S)|\s+)", spaces + "x").size(), 3u);
  EXPECT_EQ(Split(R"(x|\s+$)", "x" + spaces + "y x" + spaces).size(), 4u)
      << "the guard leaves matches that begin in the middle of a run";
}

}  // namespace
}  // namespace hadal
