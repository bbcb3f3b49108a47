// Masks: exactly the tokens whose bytes may follow, wherever the borders lie.
#include <gtest/gtest.h>

#include "base/json.h"
#include "sample/grammar_test_data.h"
#include "text/answer_parser.h"

namespace hadal {
namespace {

// The mask by its definition: every token tried on its own.
TokenMask SlowMask(const std::shared_ptr<const Grammar>& grammar, const TokenTrie& trie,
                   std::string_view before) {
  GrammarWalk walk(grammar);
  const GrammarWalk::State state = walk.Follow(walk.start(), before);
  EXPECT_NE(state, GrammarWalk::kDead);
  TokenMask mask(trie.mask_words(), 0);
  for (std::int32_t id = 0; id < trie.vocabulary(); ++id)
    if (trie.holds(id) && walk.Follow(state, trie.BytesOf(id)) != GrammarWalk::kDead)
      AllowToken(id, mask);
  return mask;
}

TEST(GrammarMatcher, D23_MasksAreThoseOfTheirDefinition) {
  const auto trie = GrammarTrie();
  const char* kSchemas[] = {
      "",
      "{}",
      R"({"type":"string","maxLength":4})",
      R"({"type":"string","pattern":"^.*x$"})",
      R"({"anyOf":[{"type":"string","maxLength":3},{"type":"string","pattern":"^a.+"},{"type":"null"}]})",
      R"({"type":"object","properties":{"name":{"type":"string"},"n)"
      "\u00E9"
      R"(":{"type":"number"}},
          "additionalProperties":true})",
      R"({"type":"array","items":{"enum":["red","green",")"
      "\u20AC"
      R"(uro"]},"minItems":1})"};
  Random random(3);
  for (const char* schema : kSchemas) {
    const auto grammar = CompileJson(schema);
    ASSERT_TRUE(grammar.ok()) << grammar.status().ToString();
    for (int walk = 0; walk < 3; ++walk) {
      const std::string text = RandomText(*grammar, trie, &random, 25);
      GrammarMatcher matcher(*grammar, trie);
      for (std::size_t at = 0; at < text.size(); ++at) {
        const auto mask = matcher.Mask();
        ASSERT_TRUE(mask.ok());
        ASSERT_EQ(TokenMask(mask->begin(), mask->end()),
                  SlowMask(*grammar, *trie, std::string_view(text).substr(0, at)))
            << schema << " after " << text.substr(0, at);
        ASSERT_TRUE(matcher.AcceptBytes(std::string_view(text).substr(at, 1))) << text;
      }
      EXPECT_TRUE(matcher.CanEnd());
    }
  }
}

TEST(GrammarMatcher, ARefusedTokenChangesNothing) {
  const auto trie = GrammarTrie();
  GrammarMatcher matcher(*CompileJson(R"({"const":"red"})"), trie);
  EXPECT_FALSE(matcher.AcceptBytes("r"));
  EXPECT_FALSE(matcher.Accept(0)) << "a special token";
  EXPECT_FALSE(matcher.Accept(static_cast<std::int32_t>(trie->vocabulary()) - 1)) << "padding";
  EXPECT_TRUE(matcher.AcceptBytes("\"re"));
  EXPECT_FALSE(matcher.CanEnd());
  EXPECT_TRUE(matcher.AcceptBytes("d\""));
  EXPECT_TRUE(matcher.MustEnd());
}

// Far into one text what is remembered stays bounded, and the walk goes on.
TEST(GrammarMatcher, ForgetsWithoutLosingItsPlace) {
  const auto trie = GrammarTrie();
  const auto grammar = CompileJson(R"({"type":"array","minItems":9000,"items":{"type":"string"}})");
  ASSERT_TRUE(grammar.ok());
  GrammarMatcher matcher(*grammar, trie);
  ASSERT_TRUE(matcher.AcceptBytes("[\"a\""));
  for (int i = 1; i < 9000; ++i) {
    ASSERT_TRUE(matcher.AcceptBytes(", \"x\"")) << i;
    ASSERT_TRUE(i % 500 != 0 || matcher.Mask().ok());
  }
  EXPECT_TRUE(matcher.AcceptBytes("]"));
  EXPECT_TRUE(matcher.MustEnd());
}

TEST(GrammarMatcher, DepthOfFreeValuesIsBounded) {
  GrammarMatcher matcher(*CompileJson("{}"), GrammarTrie());
  int depth = 0;
  while (depth < 5000 && matcher.AcceptBytes("[")) ++depth;
  EXPECT_GT(depth, 40);
  EXPECT_LT(depth, 200);
  ASSERT_TRUE(matcher.AcceptBytes("1"));
  for (; depth > 0; --depth) ASSERT_TRUE(matcher.AcceptBytes("]"));
  EXPECT_TRUE(matcher.MustEnd());
}

CallableTool Tool(const std::string& name, const std::string& parameters) {
  return {name, *ParseSchema(parameters, "tools"), "tools/0#"};
}

TEST(CallGrammar, EnvelopesOfEveryGeneration) {
  const std::vector<CallableTool> tools = {
      Tool("get_weather", R"({"type":"object","properties":{"city":{"type":"string"},
          "days":{"type":"integer"}},"required":["city"],"additionalProperties":false})")};
  const std::string json = R"({"city": "Bonn", "days": 3})";
#define DSML "\uFF5CDSML\uFF5C"
  const auto dsml = [](const std::string& block, const std::string& space) {
    return "<" DSML + block + ">\n<" DSML + space + "invoke name=\"get_weather\">\n<" DSML + space +
           "parameter name=\"city\" string=\"true\">Bonn</" DSML + space + "parameter>\n<" DSML +
           space + "parameter name=\"days\" string=\"false\">3</" DSML + space +
           "parameter>\n</" DSML + space + "invoke>\n</" DSML + block + ">";
  };
#undef DSML
  const std::pair<AnswerSyntax, std::string> kCalls[] = {
      {AnswerSyntax::kHermes,
       "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": " + json + "}\n</tool_call>"},
      {AnswerSyntax::kDeepSeekV3,
       "<\uFF5Ctool\u2581calls\u2581begin\uFF5C><\uFF5Ctool\u2581call\u2581begin\uFF5C>function<"
       "\uFF5Ctool\u2581sep\uFF5C>get_weather\n```json\n" +
           json +
           "\n```<\uFF5Ctool\u2581call\u2581end\uFF5C><\uFF5Ctool\u2581calls\u2581end\uFF5C>"},
      {AnswerSyntax::kDeepSeekV31,
       "<\uFF5Ctool\u2581calls\u2581begin\uFF5C><\uFF5Ctool\u2581call\u2581begin\uFF5C>get_weather<"
       "\uFF5Ctool\u2581sep\uFF5C>" +
           json + "<\uFF5Ctool\u2581call\u2581end\uFF5C><\uFF5Ctool\u2581calls\u2581end\uFF5C>"},
      {AnswerSyntax::kKimiK2,
       "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0"
       "<|tool_call_argument_begin|>" +
           json + "<|tool_call_end|><|tool_calls_section_end|>"},
      {AnswerSyntax::kLlama3, "{\"name\": \"get_weather\", \"parameters\": " + json + "}"},
      {AnswerSyntax::kDsmlV32, dsml("function_calls", "")},
      {AnswerSyntax::kDsmlV4, dsml("tool_calls", "")},
      {AnswerSyntax::kDsmlV41, dsml(" calls", " ")}};
  for (const auto& [syntax, text] : kCalls) {
    AnswerGrammar answer;
    answer.syntax = syntax;
    answer.tools = tools;
    const auto grammar = Compile(answer, {});
    ASSERT_TRUE(grammar.ok()) << grammar.status().ToString();
    EXPECT_TRUE(Takes(*grammar, text)) << text;
    std::string wrong = text;
    wrong.replace(wrong.find("get_weather"), 3, "put");
    EXPECT_FALSE(Takes(*grammar, wrong)) << wrong;
    answer.behind_opener = true;
    const auto rest = Compile(answer, {});
    ASSERT_TRUE(rest.ok());
    EXPECT_TRUE(Takes(*rest, std::string_view(text).substr(CallOpener(syntax).size())));
  }
}

// What a walk along the masks writes, the parser of the answers reads back, and it is valid.
TEST(CallGrammar, WalksAreReadBack) {
  const auto trie = GrammarTrie();
  const auto tokenizer = GrammarTokenizer();
  const nlohmann::json schema = nlohmann::json::parse(R"({"type":"object","properties":{
      "city":{"type":"string","maxLength":12},"days":{"type":"integer","minimum":1,"maximum":20},
      "tags":{"type":"array","items":{"type":"string"},"maxItems":2},
      "unit":{"enum":["C","F"]},"free":{}},"required":["city","unit"]})");
  const nlohmann::json listed = {
      {{"type", "function"}, {"function", {{"name", "w"}, {"parameters", schema}}}}};
  const auto document = ParseJson(listed.dump(), "tools");
  Random random(8);
  for (const AnswerSyntax syntax :
       {AnswerSyntax::kHermes, AnswerSyntax::kDeepSeekV3, AnswerSyntax::kDeepSeekV31,
        AnswerSyntax::kKimiK2, AnswerSyntax::kLlama3, AnswerSyntax::kDsmlV32, AnswerSyntax::kDsmlV4,
        AnswerSyntax::kDsmlV41}) {
    AnswerGrammar answer;
    answer.syntax = syntax;
    answer.tools = {Tool("w", schema.dump())};
    answer.parallel = false;
    const auto grammar =
        Compile(answer, [&trie](std::string_view text) { return trie->MarkOf(text); });
    ASSERT_TRUE(grammar.ok()) << grammar.status().ToString();
    for (int walk = 0; walk < 12; ++walk) {
      std::string text;
      GrammarMatcher matcher(*grammar, trie);
      for (int step = 0; !matcher.MustEnd() && step < 4000; ++step) {
        const auto mask = matcher.Mask();
        ASSERT_TRUE(mask.ok());
        std::vector<std::int32_t> allowed;
        for (std::int32_t id = 0; id < trie->vocabulary(); ++id)
          if (IsAllowed(id, *mask)) allowed.push_back(id);
        ASSERT_FALSE(allowed.empty()) << text;
        std::vector<std::int32_t> closing;
        for (const std::int32_t other : allowed)
          if (!trie->holds(other) ||
              std::string_view("<}]\"/").find(trie->BytesOf(other)) != std::string_view::npos)
            closing.push_back(other);
        if (step > 60 && !closing.empty()) allowed = closing;
        const std::int32_t token = allowed[random.Below(allowed.size())];
        ASSERT_TRUE(matcher.Accept(token));
        text += tokenizer->TokenBytes(token);
      }
      AnswerOptions options;
      options.tools = &document->root();
      const ParsedAnswer parsed = ParseAnswer(syntax, options, text);
      ASSERT_EQ(parsed.tool_calls.size(), 1u) << text;
      EXPECT_EQ(parsed.tool_calls[0].name, "w");
      EXPECT_TRUE(parsed.problems.empty()) << text << parsed.problems[0];
      const auto value = nlohmann::json::parse(parsed.tool_calls[0].arguments, nullptr, false);
      ASSERT_FALSE(value.is_discarded()) << text;
      EXPECT_EQ(Invalid(schema, value, schema), "") << text;
    }
  }
}

}  // namespace
}  // namespace hadal
