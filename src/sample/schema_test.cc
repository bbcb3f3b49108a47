// Schemas as grammars: what is taken, what is not, and random walks that a second validator judges.
#include <gtest/gtest.h>

#include "sample/grammar_test_data.h"

namespace hadal {
namespace {

using nlohmann::json;

TEST(Schema, TypesAndConstants) {
  EXPECT_TRUE(SchemaTakes(R"({"type":"integer"})", "-120"));
  EXPECT_FALSE(SchemaTakes(R"({"type":"integer"})", "01"));
  EXPECT_FALSE(SchemaTakes(R"({"type":"integer"})", "1.5"));
  EXPECT_TRUE(SchemaTakes(R"({"type":"number"})", "-0.25e-3"));
  EXPECT_TRUE(SchemaTakes(R"({"type":["string","null"]})", "null"));
  EXPECT_TRUE(SchemaTakes(R"({"type":["string","null"]})", R"("a\u00e9\n\ud83d\ude00")"));
  EXPECT_FALSE(SchemaTakes(R"({"type":"string"})", R"("\ud83d")"));
  EXPECT_FALSE(SchemaTakes(R"({"type":"string"})", "\"a\nb\""));
  EXPECT_TRUE(SchemaTakes(R"({"enum":["red","green",1,1.5,null,{"a":[1]}]})", R"({"a":[1]})"));
  EXPECT_FALSE(SchemaTakes(R"({"enum":["red","green"]})", R"("re")"));
  EXPECT_FALSE(SchemaTakes(R"({"type":"string","enum":["red",7]})", "7"));
  EXPECT_TRUE(SchemaTakes(R"({"const":"a\"b"})", R"("a\"b")"));
  EXPECT_TRUE(SchemaTakes("true", R"([1,{"a":null}])"));
  EXPECT_TRUE(SchemaTakes("{}", R"({"a": [true, "x"]})"));
}

TEST(Schema, ObjectsInTheGivenOrder) {
  const std::string schema = R"({"type":"object","properties":{"a":{"type":"integer"},
      "b":{"type":"string"},"c":{"type":"boolean"}},"required":["b"],"additionalProperties":false})";
  EXPECT_TRUE(SchemaTakes(schema, R"({"b":"x"})"));
  EXPECT_TRUE(SchemaTakes(schema, R"({"a": 1, "b": "x", "c": true})"));
  EXPECT_TRUE(SchemaTakes(schema, "{\n  \"b\": \"x\",\n  \"c\": false\n}"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"a":1})"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"b":"x","a":1})"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"b":"x","d":1})"));
  EXPECT_FALSE(SchemaTakes(schema, "{\n\n\"b\":\"x\"}")) << "one line break at most";
}

TEST(Schema, FurtherMembersAreNotListedOnes) {
  const std::string schema = R"({"type":"object","properties":{"ab":{"type":"integer"},
      "n)"
                             "\u00E9"
                             R"(":{"type":"null"}},"additionalProperties":{"type":"boolean"}})";
  EXPECT_TRUE(SchemaTakes(schema, R"({"ab":1,"abc":true,"a":false,"":true,"n)"
                                  "\u00E8"
                                  R"(":true})"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"ab":true})"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"x":true,"ab":true})"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"n)"
                                   "\u00E9"
                                   R"(":true})"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"x":1})"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"a\u0062":true})"));
  EXPECT_TRUE(SchemaTakes(R"({"type":"object","required":["k"]})", R"({"k":[1]})"));
  EXPECT_FALSE(SchemaTakes(R"({"type":"object","required":["k"]})", R"({"j":[1]})"));
}

TEST(Schema, Arrays) {
  const std::string counted =
      R"({"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3})";
  EXPECT_FALSE(SchemaTakes(counted, "[1]"));
  EXPECT_TRUE(SchemaTakes(counted, "[1, 2]"));
  EXPECT_TRUE(SchemaTakes(counted, "[1,2,3]"));
  EXPECT_FALSE(SchemaTakes(counted, "[1,2,3,4]"));
  EXPECT_TRUE(SchemaTakes(R"({"type":"array","items":{"type":"null"}})", "[]"));
  EXPECT_TRUE(SchemaTakes(R"({"type":"array","maxItems":0})", "[]"));
  const std::string tuple = R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],
      "items":{"type":"null"},"minItems":1})";
  EXPECT_TRUE(SchemaTakes(tuple, R"(["a"])"));
  EXPECT_TRUE(SchemaTakes(tuple, R"(["a",1,null,null])"));
  EXPECT_FALSE(SchemaTakes(tuple, R"(["a",null])"));
  EXPECT_FALSE(SchemaTakes(tuple, "[]"));
}

TEST(Schema, Lengths) {
  const std::string schema = R"({"type":"string","minLength":2,"maxLength":3})";
  EXPECT_FALSE(SchemaTakes(schema, R"("a")"));
  EXPECT_TRUE(SchemaTakes(schema, R"("\u00e9)"
                                  "\u00E9"
                                  R"(")"));
  EXPECT_TRUE(SchemaTakes(schema, R"("a\ud83d\ude00b")"));
  EXPECT_FALSE(SchemaTakes(schema, R"("abcd")"));
}

TEST(Schema, IntegersWithinBounds) {
  for (const auto& [low, high] : {std::pair(-12, 120), {0, 9}, {7, 7}, {-5, -3}, {99, 1001}}) {
    const json schema = {{"type", "integer"}, {"minimum", low}, {"maximum", high}};
    for (int i = -1200; i <= 1200; ++i)
      ASSERT_EQ(SchemaTakes(schema.dump(), std::to_string(i)), i >= low && i <= high)
          << i << " in " << schema;
  }
  const json step = {
      {"type", "integer"}, {"multipleOf", 7}, {"exclusiveMinimum", -20}, {"maximum", 50}};
  const json open = {{"type", "integer"}, {"multipleOf", 12}};
  for (int i = -100; i <= 300; ++i) {
    ASSERT_EQ(SchemaTakes(step.dump(), std::to_string(i)), i % 7 == 0 && i > -20 && i <= 50) << i;
    ASSERT_EQ(SchemaTakes(open.dump(), std::to_string(i)), i % 12 == 0) << i;
  }
}

TEST(Schema, NumbersWithinBounds) {
  const json schema = {{"type", "number"}, {"minimum", -0.5}, {"exclusiveMaximum", 12.25}};
  for (const char* good : {"0", "-0.5", "-0.50", "-0.499", "12", "12.2", "12.24999", "1.5", "9.99"})
    EXPECT_TRUE(SchemaTakes(schema.dump(), good)) << good;
  for (const char* bad : {"-0.51", "12.25", "12.250", "12.3", "13", "-1", "1e1", "-0", "01"})
    EXPECT_FALSE(SchemaTakes(schema.dump(), bad)) << bad;
  EXPECT_TRUE(SchemaTakes(R"({"type":"number","multipleOf":0.01})", "3.14"));
  EXPECT_FALSE(SchemaTakes(R"({"type":"number","multipleOf":0.01})", "3.141"));
}

TEST(Schema, ReferencesAndRecursion) {
  const std::string tree = R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{
      "value":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},
      "required":["value","children"],"additionalProperties":false}}})";
  EXPECT_TRUE(SchemaTakes(tree, R"({"value":1,"children":[{"value":2,"children":[]}]})"));
  EXPECT_FALSE(SchemaTakes(tree, R"({"value":1,"children":[{"value":2}]})"));
  const std::string list = R"({"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},
      {"type":"null"}]}},"required":["next"]})";
  EXPECT_TRUE(SchemaTakes(list, R"({"next":{"next":{"next":null}}})"));
}

TEST(Schema, OneOfWhereAlternativesExclude) {
  const std::string schema = R"({"oneOf":[
      {"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"integer"}},"required":["kind","x"]},
      {"type":"object","properties":{"kind":{"const":"b"}},"required":["kind"]}, {"type":"null"}]})";
  EXPECT_TRUE(SchemaTakes(schema, R"({"kind":"a","x":1})"));
  EXPECT_TRUE(SchemaTakes(schema, R"({"kind":"b"})"));
  EXPECT_FALSE(SchemaTakes(schema, R"({"kind":"b","x":1})"));
  const auto both = CompileJson(R"({"oneOf":[{"type":"integer"},{"type":"number"}]})");
  ASSERT_FALSE(both.ok());
  EXPECT_EQ(both.status().where(), "schema#/oneOf/1");
}

// A random schema of the kinds that are understood.
json RandomSchema(Random* random, int depth) {
  const auto below = [random](std::uint64_t n) { return static_cast<int>(random->Below(n)); };
  switch (below(depth > 0 ? 12 : 7)) {
    case 0:
      return {{"type", "integer"}, {"minimum", below(50) - 25}, {"maximum", 25 + below(500)}};
    case 1:
      return {{"type", below(2) ? "number" : "boolean"}};
    case 2:
      return {{"type", "string"}, {"minLength", below(3)}, {"maxLength", 3 + below(20)}};
    case 3:
      return {{"enum", {"red", "green", below(9), nullptr, "a\"b\\c\n\u00E9"}}};
    case 4:
      return {{"type", "string"}, {"pattern", "^[a-c]{1,3}(-[0-9]+)?$"}};
    case 5:
      return {{"type", json::array({"null", "string"})}};
    case 6:
      return {{"type", "number"}, {"minimum", -1.5}, {"exclusiveMaximum", below(9) + 0.25}};
    case 7:
    case 8: {
      json schema = {
          {"type", "object"}, {"properties", json::object()}, {"required", json::array()}};
      const int count = below(5);
      for (int i = 0; i < count; ++i) {
        const std::string name = std::string(1, static_cast<char>('a' + i)) + (below(2) ? "x" : "");
        schema["properties"][name] = RandomSchema(random, depth - 1);
        if (below(2)) schema["required"].push_back(name);
      }
      if (below(3) == 0)
        schema["additionalProperties"] = RandomSchema(random, depth - 1);
      else
        schema["additionalProperties"] = below(2) == 0;
      return schema;
    }
    case 9:
      return {{"type", "array"},
              {"items", RandomSchema(random, depth - 1)},
              {"minItems", below(2)},
              {"maxItems", 1 + below(4)}};
    case 10:
      return {
          {"anyOf",
           {RandomSchema(random, depth - 1), RandomSchema(random, depth - 1), {{"type", "null"}}}}};
    default:
      return {{"anyOf", {{{"$ref", "#"}}, {{"type", "integer"}}}}};
  }
}

TEST(Schema, RandomWalksAreValid) {
  const auto trie = GrammarTrie();
  Random random(20261122);
  int recursive = 0;
  for (int round = 0; round < 150; ++round) {
    json schema = RandomSchema(&random, 3);
    const bool looping = schema.contains("anyOf") && schema["anyOf"][0].contains("$ref");
    if (looping)
      schema = {{"type", "array"},
                {"items", {{"anyOf", {{{"$ref", "#"}}, {{"type", "integer"}}}}}}};
    recursive += schema.dump().find("$ref") != std::string::npos;
    const auto grammar = CompileJson(schema.dump());
    if (!grammar.ok() && grammar.status().found().find("leads back") != std::string::npos) continue;
    ASSERT_TRUE(grammar.ok()) << grammar.status().ToString() << schema;
    for (int walk = 0; walk < 4; ++walk) {
      const std::string text = RandomText(*grammar, trie, &random, 60);
      const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
      ASSERT_FALSE(value.is_discarded()) << schema << "\n" << text;
      ASSERT_EQ(Invalid(schema, value, schema), "") << schema << "\n" << text;
    }
  }
  EXPECT_GT(recursive, 10);
}

TEST(Schema, AnyObjectIsJson) {
  const auto trie = GrammarTrie();
  const auto grammar = CompileJson("");
  ASSERT_TRUE(grammar.ok());
  Random random(4);
  for (int walk = 0; walk < 60; ++walk) {
    const std::string text = RandomText(*grammar, trie, &random, 80);
    const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(value.is_object()) << text;
  }
  EXPECT_FALSE(Takes(*grammar, "[1]"));
}

}  // namespace
}  // namespace hadal
