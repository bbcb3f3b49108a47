// What strangers send: schemas that are wrong, huge, or made to run away.
#include <gtest/gtest.h>

#include <chrono>

#include "sample/grammar_test_data.h"

namespace hadal {
namespace {

using nlohmann::json;

Status Refusal(const std::string& schema) {
  const auto begin = std::chrono::steady_clock::now();
  const auto grammar = CompileJson(schema);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8));
  EXPECT_FALSE(grammar.ok()) << schema.substr(0, 200);
  return grammar.status();
}

TEST(SchemaCaps, KeywordsAreRefusedByName) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"J({"properties":{"a/b":{"not":{}}}})J", "schema#/properties/a~1b/not"},
      {R"J({"allOf":[{},{}]})J", "schema#/allOf"},
      {R"J({"type":"foo"})J", "schema#/type"},
      {R"J({"type":"array","uniqueItems":true})J", "schema#/uniqueItems"},
      {R"J({"type":"object","patternProperties":{}})J", "schema#/patternProperties"},
      {R"J({"if":{},"then":{}})J", "schema#/if"},
      {R"J({"type":"string","pattern":"(a"})J", "schema#/pattern"},
      {R"J({"type":"string","pattern":"(?=a)"})J", "schema#/pattern"},
      {R"J({"type":"string","pattern":"(a)\\1"})J", "schema#/pattern"},
      {R"J({"type":"string","format":"color"})J", "schema#/format"},
      {R"J({"type":"string","minLength":-1})J", "schema#/minLength"},
      {R"J({"$ref":"#/$defs/no"})J", "schema#/$ref"},
      {R"J({"$ref":"http://example.org/x"})J", "schema#/$ref"},
      {R"J({"enum":[]})J", "schema#/enum"},
      {R"J({"type":"object","properties":{"a":{}},"required":["b"],"additionalProperties":false})J",
       "schema#/required"},
      {R"J({"type":"object","properties":{"a":{"$ref":"#/$defs/d"}},"$defs":{"d":{"items":7}}})J",
       "schema#/$defs/d/items"},
      {"7", "schema#"}};
  for (const auto& [schema, where] : kCases) {
    const Status status = Refusal(schema);
    EXPECT_EQ(status.code(), Code::kUsage) << schema;
    EXPECT_EQ(status.where(), where) << schema;
  }
}

TEST(SchemaCaps, TextThatIsNoSchema) {
  EXPECT_EQ(Refusal(std::string(30'000, '[')).code(), Code::kUsage);
  EXPECT_EQ(Refusal("{\"type\":").code(), Code::kUsage);
  EXPECT_EQ(Refusal(std::string(300 << 10, ' ')).code(), Code::kUsage);
  std::string deep = "{}";
  for (int i = 0; i < 40; ++i) deep = "{\"items\":{\"items\":" + deep + "}}";
  EXPECT_EQ(Refusal(deep).code(), Code::kUsage);
}

TEST(SchemaCaps, HugeLists) {
  std::string million = "{\"enum\":[0";
  for (int i = 1; i < 1'000'000; ++i) million += ",1";
  EXPECT_EQ(Refusal(million + "]}").code(), Code::kUsage);
  json many = {{"enum", json::array()}};
  for (int i = 0; i < 6000; ++i) many["enum"].push_back(i);
  EXPECT_EQ(Refusal(many.dump()).where(), "schema#/enum");
  many["enum"].clear();
  for (int i = 0; i < 5000; ++i) many["enum"].push_back("value " + std::to_string(i));
  EXPECT_TRUE(SchemaTakes(many.dump(), "\"value 4999\""));
}

TEST(SchemaCaps, WhatHasNoFiniteValue) {
  EXPECT_EQ(
      Refusal(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})").found(),
      "no value that satisfies it");
  EXPECT_EQ(Refusal(R"({"$ref":"#"})").code(), Code::kUsage);
  EXPECT_EQ(Refusal(R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})").found(),
            "a reference that leads back to itself");
  EXPECT_EQ(Refusal("false").code(), Code::kUsage);
  EXPECT_EQ(Refusal(R"({"type":"integer","minimum":5,"maximum":4})").code(), Code::kUsage);
  EXPECT_TRUE(
      SchemaTakes(R"({"type":"object","properties":{"a":false,"b":{"const":1}}})", R"({"b":1})"));
  EXPECT_FALSE(SchemaTakes(R"({"type":"object","properties":{"a":false}})", R"({"a":1})"));
}

TEST(SchemaCaps, PatternsThatExplode) {
  const auto pattern = [](const std::string& text) {
    return json{{"type", "string"}, {"pattern", text}}.dump();
  };
  EXPECT_EQ(Refusal(pattern("a{20000}")).where(), "schema#/pattern");
  EXPECT_EQ(Refusal(pattern(std::string(3000, 'a'))).where(), "schema#/pattern");
  EXPECT_EQ(Refusal(pattern(std::string(80, '(') + std::string(80, ')'))).where(),
            "schema#/pattern");
  const std::string evil = pattern("^((a{0,999}){0,999}){0,999}(a|a)*(a|aa)+$");
  const auto grammar = CompileJson(evil);
  ASSERT_TRUE(grammar.ok());
  GrammarWalk walk(*grammar);
  auto state = walk.Follow(walk.start(), "\"");
  for (int i = 0; i < 300 && state != GrammarWalk::kDead && !walk.overflowed(); ++i)
    state = walk.Step(state, 'a');
  EXPECT_LT(walk.bytes(), 128u << 20);
}

// Ambiguity that doubles with every level is followed as far as its bound, and then said.
TEST(SchemaCaps, AmbiguityIsBounded) {
  const std::string twice = R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[
      {"type":"array","items":{"$ref":"#/$defs/a"},"minItems":1},
      {"type":"array","items":{"$ref":"#/$defs/a"},"maxItems":9},{"type":"null"}]}}})";
  const auto grammar = CompileJson(twice);
  ASSERT_TRUE(grammar.ok()) << grammar.status().ToString();
  const auto trie = GrammarTrie();
  GrammarMatcher matcher(*grammar, trie);
  Status status;
  for (int i = 0; i < 40 && status.ok(); ++i) {
    const auto mask = matcher.Mask();
    status = mask.status();
    if (status.ok() && !matcher.AcceptBytes("[")) break;
  }
  EXPECT_TRUE(status.ok() || status.code() == Code::kDeadEnd) << status.ToString();
}

TEST(SchemaCaps, TheStoreStaysWithinItsBytes) {
  GrammarStore store(2 << 20);
  const auto trie = GrammarTrie();
  std::uint64_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    AnswerGrammar answer;
    answer.json = true;
    answer.schema = "{\"const\":" + std::to_string(i) + "}";
    ASSERT_TRUE(store.Get(answer, *trie).ok());
    most = std::max(most, store.bytes());
  }
  EXPECT_LE(most, 2u << 20);
  EXPECT_LT(store.size(), 10'000u);
  EXPECT_GT(store.size(), 100u);
  AnswerGrammar last;
  last.json = true;
  last.schema = "{\"const\":9999}";
  EXPECT_EQ(store.Get(last, *trie)->get(), store.Get(last, *trie)->get());
}

}  // namespace
}  // namespace hadal
