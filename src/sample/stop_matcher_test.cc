#include "sample/stop_matcher.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace hadal {
namespace {

struct Outcome {
  std::string text, match;
  bool operator==(const Outcome&) const = default;
};

// Feeds pieces that end at the given cuts.
Outcome FeedCut(const std::vector<std::string>& stops, const std::string& text,
                const std::vector<std::size_t>& cuts) {
  StopMatcher matcher(stops);
  Outcome outcome;
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    outcome.text += matcher.Feed(std::string_view(text).substr(from, cut - from));
    from = cut;
  }
  outcome.text += matcher.Feed(std::string_view(text).substr(from));
  outcome.text += matcher.Finish();
  if (matcher.matched()) outcome.match = matcher.match();
  return outcome;
}

// The definition, over the whole text.
Outcome Define(const std::vector<std::string>& stops, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::string best;
    for (const std::string& stop : stops)
      if (stop.size() > best.size() && std::string_view(text).substr(0, end).ends_with(stop))
        best = stop;
    if (!best.empty()) return {text.substr(0, end - best.size()), best};
  }
  return {text, ""};
}

TEST(StopMatcher, GivesOutWhatCannotBecomeAStop) {
  StopMatcher matcher({"\n\nUser:"});
  EXPECT_EQ(matcher.Feed("Hello\n"), "Hello");
  EXPECT_EQ(matcher.Feed("\nUse"), "");
  EXPECT_EQ(matcher.Feed("ful"), "\n\nUseful");
  EXPECT_EQ(matcher.Feed("\n\n\nUser: more"), "\n");
  EXPECT_TRUE(matcher.matched());
  EXPECT_EQ(matcher.Feed("later"), "");
  EXPECT_EQ(matcher.Finish(), "");
}

TEST(StopMatcher, UnfinishedStopIsText) {
  StopMatcher matcher({"STOP"});
  EXPECT_EQ(matcher.Feed("abcSTO"), "abc");
  EXPECT_EQ(matcher.Finish(), "STO");
  EXPECT_FALSE(matcher.matched());
}

TEST(StopMatcher, WithoutStopsEverythingPasses) {
  StopMatcher matcher({""});
  EXPECT_EQ(matcher.Feed("abc"), "abc");
}

TEST(StopMatcher, D24_SplitsDoNotMatter) {
  Random random(11);
  int matched = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto word = [&](std::size_t most) {
      std::string text;
      for (std::size_t n = 1 + random.Below(most); n > 0; --n)
        text += static_cast<char>('a' + random.Below(2));
      return text;
    };
    std::vector<std::string> stops;
    for (std::size_t n = 1 + random.Below(3); n > 0; --n) stops.push_back(word(6));
    const std::string text = word(24);
    const Outcome expected = Define(stops, text);
    matched += !expected.match.empty();
    std::vector<std::size_t> cuts;
    for (std::size_t cut = 1; cut < text.size(); ++cut)
      if (random.Below(2) == 0) cuts.push_back(cut);
    ASSERT_EQ(FeedCut(stops, text, cuts), expected);
    ASSERT_EQ(FeedCut(stops, text, {}), expected);
  }
  EXPECT_GT(matched, 1000);
}

}  // namespace
}  // namespace hadal
