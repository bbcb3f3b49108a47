// What masks cost on a large vocabulary: DeepSeek's, of the shared goldens.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "sample/grammar_test_data.h"

namespace hadal {
namespace {

constexpr const char* kSchema = R"({"type":"object","properties":{
    "title":{"type":"string"},"year":{"type":"integer","minimum":1900,"maximum":2100},
    "score":{"type":"number","minimum":0,"maximum":10},
    "tags":{"type":"array","items":{"type":"string","maxLength":20},"maxItems":5},
    "kind":{"enum":["film","book","song"]},"date":{"type":"string","format":"date"},
    "code":{"type":"string","pattern":"^[A-Z]{2}-.+$"},
    "people":{"type":"array","items":{"$ref":"#/$defs/person"}}},
    "required":["title","year","tags","kind","people"],"$defs":{"person":{"type":"object",
    "properties":{"name":{"type":"string","minLength":1},"boss":{"anyOf":[{"$ref":"#/$defs/person"},
    {"type":"null"}]}},"required":["name"]}}})";
constexpr const char* kText = R"({"title": "The long \"river\" of \u00e9tudes", "year": 1987,
 "score": 7.25, "tags": ["water", "slow cinema", "x"], "kind": "film", "date": "1987-02-28",
 "code": "DE-north 12", "people": [{"name": "Ann Example", "boss": {"name": "Bo", "boss": null}},
 {"name": "Cy \ud83d\ude00"}]})";

TEST(MaskSpeed, OnALargeVocabulary) {
  const char* shared = std::getenv("HADAL_SHARED_DIR");
  if (shared == nullptr) GTEST_SKIP() << "HADAL_SHARED_DIR does not name the shared goldens";
  const auto tokenizer = LoadTokenizer(std::string(shared) + "/golden/text/tokenizers/deepseek_v3");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  using Clock = std::chrono::steady_clock;
  const auto microseconds = [](Clock::time_point from) {
    return std::chrono::duration<double, std::micro>(Clock::now() - from).count();
  };
  const auto before = Clock::now();
  const auto trie = std::make_shared<const TokenTrie>(**tokenizer, 129'280, CallMarks());
  const double tree = microseconds(before);
  const auto begin = Clock::now();
  const auto grammar = CompileJson(kSchema);
  ASSERT_TRUE(grammar.ok()) << grammar.status().ToString();
  const double compile = microseconds(begin);
  std::string text = kText;
  std::erase(text, '\n');
  const auto tokens = (*tokenizer)->Encode(text, AddedTokenUse::kNone);
  ASSERT_TRUE(tokens.ok());
  GrammarMatcher matcher(*grammar, trie);
  std::vector<double> costs;
  for (const std::int32_t token : *tokens) {
    const auto start = Clock::now();
    const auto mask = matcher.Mask();
    ASSERT_TRUE(mask.ok());
    costs.push_back(microseconds(start));
    ASSERT_TRUE(IsAllowed(token, *mask)) << (*tokenizer)->TokenBytes(token);
    ASSERT_TRUE(matcher.Accept(token));
  }
  EXPECT_TRUE(matcher.MustEnd());
  std::ranges::sort(costs);
  std::printf(
      "%zu masks over %lld tokens: median %.0f us, worst %.0f us; tree %.0f ms; schema %.0f us\n",
      costs.size(), static_cast<long long>(trie->vocabulary()), costs[costs.size() / 2],
      costs.back(), tree / 1000, compile);
  // Ten times what is wanted on an idle machine.
  EXPECT_LT(costs[costs.size() / 2], 3'000);
  EXPECT_LT(costs.back(), 50'000);
}

}  // namespace
}  // namespace hadal
