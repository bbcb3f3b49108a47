#include "text/answer_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "base/json.h"
#include "base/random.h"
#include "base/utf8.h"
#include "text/answer_cases.h"

namespace hadal {
namespace {

using Kind = AnswerEvent::Kind;

ParsedAnswer ParsePieces(const AnswerCase& c, const std::vector<std::size_t>& cuts) {
  AnswerParser parser(c.syntax, c.options);
  ParsedAnswer answer;
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    answer.Add(parser.Feed(c.text.substr(begin, cut - begin)));
    begin = cut;
  }
  answer.Add(parser.Feed(c.text.substr(begin)));
  answer.Add(parser.Finish());
  return answer;
}

TEST(AnswerParser, Cases) {
  for (const AnswerCase& c : AnswerCases())
    EXPECT_EQ(Summary(ParseAnswer(c.syntax, c.options, c.text)), c.expected) << c.text;
}

TEST(AnswerParser, NoSplitChangesTheResult) {
  Random random(7);
  for (const AnswerCase& c : AnswerCases()) {
    const ParsedAnswer whole = ParsePieces(c, {});
    std::vector<std::size_t> every(c.text.size());
    for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
    EXPECT_EQ(ParsePieces(c, every), whole) << c.text;
    for (const std::size_t cut : every) EXPECT_EQ(ParsePieces(c, {cut}), whole) << c.text;
    for (int round = 0; round < 20; ++round) {
      std::vector<std::size_t> cuts(1 + random.Below(5));
      for (std::size_t& cut : cuts) cut = random.Below(c.text.size() + 1);
      std::ranges::sort(cuts);
      EXPECT_EQ(ParsePieces(c, cuts), whole) << c.text;
    }
  }
}

// Whatever the point where an answer is cut off, its beginning parses, and what had been given out
// before the end stays.
TEST(AnswerParser, EveryBeginningParses) {
  for (const AnswerCase& c : AnswerCases()) {
    AnswerParser parser(c.syntax, c.options);
    ParsedAnswer given_out;
    for (std::size_t length = 0; length < c.text.size(); ++length) {
      const ParsedAnswer cut = ParseAnswer(c.syntax, c.options, c.text.substr(0, length));
      EXPECT_TRUE(cut.reasoning.starts_with(given_out.reasoning));
      EXPECT_TRUE(cut.content.starts_with(given_out.content));
      ASSERT_GE(cut.tool_calls.size(), given_out.tool_calls.size());
      // What is said of an answer before its end holds at its end.
      const bool spoke =
          cut.content.find_first_not_of(" \t\r\n") != std::string::npos || !cut.tool_calls.empty();
      const bool parses = c.options.tool_calls == ToolCalls::kParse;
      EXPECT_TRUE(spoke || !parses || !parser.has_answer()) << c.text.substr(0, length);
      given_out.Add(parser.Feed(c.text.substr(length, 1)));
    }
  }
}

TEST(AnswerParser, KnowsWhetherThereIsAnAnswerYet) {
  AnswerOptions options;
  options.thinking = true;
  for (const AnswerSyntax syntax : {AnswerSyntax::kHermes, AnswerSyntax::kDsmlV4}) {
    AnswerParser parser(syntax, options);
    parser.Feed("thought</think>\n\n");
    EXPECT_FALSE(parser.has_answer());
    parser.Feed("A");
    EXPECT_TRUE(parser.has_answer());
  }
  AnswerParser calls(AnswerSyntax::kHermes, options);
  calls.Feed("thought<tool_call>{\"na");
  EXPECT_FALSE(calls.has_answer());
  calls.Feed("me\": \"f\", \"arguments\": {");
  EXPECT_TRUE(calls.has_answer());
  EXPECT_FALSE(calls.in_reasoning());
  AnswerParser kimi(AnswerSyntax::kKimiK2, options);
  kimi.Feed("t</think><|tool_calls_section_begin|><|tool_calls_section_end|>");
  EXPECT_FALSE(kimi.has_answer()) << "a section without calls";
}

TEST(AnswerParser, CallsTextWhereToolsWereNotGiven) {
  for (const AnswerCase& c : AnswerCases()) {
    if (c.syntax == AnswerSyntax::kDsmlV4 || c.syntax == AnswerSyntax::kDsmlV41) continue;
    const AnswerOptions options = {
        .thinking = c.options.thinking, .extract_reasoning = false, .tool_calls = ToolCalls::kText};
    EXPECT_EQ(ParseAnswer(c.syntax, options, c.text).content, c.text);
  }
}

TEST(AnswerParser, ForbiddenCallsAreLeftOut) {
  for (const AnswerCase& c : AnswerCases()) {
    AnswerOptions options = c.options;
    if (options.tool_calls == ToolCalls::kParse) options.tool_calls = ToolCalls::kDrop;
    EXPECT_TRUE(ParseAnswer(c.syntax, options, c.text).tool_calls.empty()) << c.text;
  }
}

TEST(AnswerParser, EventsComeEarlyAndInOrder) {
  AnswerParser parser(AnswerSyntax::kHermes, {});
  auto events = parser.Feed("Look: ");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, Kind::kContent);
  EXPECT_TRUE(parser.Feed("<tool_call>\n{\"name\": \"f\", ").empty());
  events = parser.Feed("\"arguments\": {\"a\"");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, Kind::kCallBegin);
  EXPECT_EQ(events[0].text, "f");
  EXPECT_EQ(events[0].call, 0);
  EXPECT_EQ(events[1].kind, Kind::kCallArguments);
  EXPECT_EQ(events[1].text, "{\"a\"");
  events = parser.Feed(": 1}");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].text, ": 1}");
  EXPECT_EQ(events[1].kind, Kind::kCallEnd);
  EXPECT_TRUE(events[1].complete);
  EXPECT_TRUE(parser.Feed("}\n</tool_call>").empty());
  EXPECT_TRUE(parser.Finish().empty());
  EXPECT_TRUE(parser.Finish().empty());
}

TEST(AnswerParser, GivesTheModelsOwnId) {
  const ParsedAnswer answer = ParseAnswer(
      AnswerSyntax::kKimiK2, {},
      "<|tool_call_begin|> functions.f:3\n<|tool_call_argument_begin|>{}<|tool_call_end|>");
  ASSERT_EQ(answer.tool_calls.size(), 1u);
  EXPECT_EQ(answer.tool_calls[0].id, "functions.f:3");
}

TEST(AnswerParser, UntaggedCallsNeedAToolOfTheRequest) {
  const auto tools = ParseJson(R"([{"type": "function", "function": {"name": "f"}}])", "tools");
  const AnswerOptions options = {.tools = &tools->root()};
  const auto calls = [&options](std::string_view text) {
    return ParseAnswer(AnswerSyntax::kLlama3, options, text).tool_calls.size();
  };
  EXPECT_EQ(calls(R"({"name": "f", "parameters": {}})"), 1u);
  EXPECT_EQ(calls(R"({"name": "g", "parameters": {}})"), 0u);
}

// What a tool's schema says of DSML's parameters.
TEST(AnswerParser, DsmlFollowsTheSchema) {
  const auto tools = ParseJson(R"([{"type": "function", "function": {"name": "f", "parameters":
    {"type": "object", "properties": {"s": {"type": "string"}, "n": {"type": "integer"},
     "u": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}}},
    {"name": "g", "parameters": {"properties": {"arguments": {"type": "object"}}}}])",
                               "tools");
  ASSERT_TRUE(tools.ok());
  const auto arguments = [&tools](std::string_view name, std::string_view attributes,
                                  std::string_view value) {
    std::string text = "<{D} calls><{D} invoke name=\"" + std::string(name) + "\"><{D} parameter " +
                       std::string(attributes) + ">" + std::string(value) +
                       "</{D} parameter></{D} invoke></{D} calls>";
    for (std::size_t at = 0; (at = text.find("{D}")) != std::string::npos;)
      text.replace(at, 3, "\uFF5CDSML\uFF5C");
    const ParsedAnswer answer =
        ParseAnswer(AnswerSyntax::kDsmlV41, {.tools = &tools->root()}, text);
    return answer.tool_calls.empty() ? "none" : answer.tool_calls[0].arguments;
  };
  const std::string_view s_json = R"(name="s" string="false")";
  EXPECT_EQ(arguments("f", s_json, "null"), R"({"s": "null"})");
  EXPECT_EQ(arguments("f", s_json, R"("x")"), R"({"s": "x"})");
  EXPECT_EQ(arguments("f", R"(name="u" string="false")", "null"), R"({"u": null})");
  EXPECT_EQ(arguments("f", R"(name="n")", "5"), R"({"n": 5})");
  EXPECT_EQ(arguments("f", R"(name="n")", "five"), R"({"n": "five"})");
  EXPECT_EQ(arguments("f", R"(name="n" string="true")", "5"), R"({"n": "5"})");
  EXPECT_EQ(arguments("f", R"(name="s")", "5"), R"({"s": "5"})");
  EXPECT_EQ(arguments("f", R"(name="x")", "5"), R"({"x": "5"})");
  // An object that stands whole in one parameter.
  EXPECT_EQ(arguments("f", R"(name="arguments" string="false")", R"({"n": 1})"), R"({"n": 1})");
  EXPECT_EQ(arguments("f", R"(name="input" string="true")", R"({"n": 1})"), R"({"n": 1})");
  EXPECT_EQ(arguments("f", R"(name="input" string="false")", R"({"z": 1})"),
            R"({"input": {"z": 1}})");
  EXPECT_EQ(arguments("f", R"(name="input" string="false")", "{}"), R"({"input": {}})");
  EXPECT_EQ(arguments("g", R"(name="arguments" string="false")", R"({"arguments": {}})"),
            R"({"arguments": {"arguments": {}}})");
  EXPECT_EQ(arguments("h", R"(name="arguments" string="false")", R"({"n": 1})"),
            R"({"arguments": {"n": 1}})");
}

// Pieces end where the input did or at a character: whole characters in, whole characters out.
TEST(AnswerParser, NeverCutsACharacter) {
  for (const AnswerCase& c : AnswerCases()) {
    AnswerParser parser(c.syntax, c.options);
    std::size_t begin = 0;
    for (std::size_t end = 1; end <= c.text.size(); ++end) {
      const bool inside = end < c.text.size() && (c.text[end] & 0xC0) == 0x80;
      if (inside) continue;
      for (const AnswerEvent& event : parser.Feed(c.text.substr(begin, end - begin)))
        EXPECT_TRUE(IsUtf8(event.text)) << c.text;
      begin = end;
    }
  }
}

// Processor seconds for an answer of so many bytes, fed byte by byte.
double SecondsFor(AnswerSyntax syntax, std::string_view unit, std::size_t bytes) {
  const std::clock_t start = std::clock();
  AnswerParser parser(syntax);
  for (std::size_t i = 0; i < bytes; ++i) parser.Feed(unit.substr(i % unit.size(), 1));
  parser.Finish();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// Eight times the text takes eight times as long, not sixty-four; what takes no time is not judged.
TEST(AnswerParser, Cve2025_48887_LinearInTheText) {
  constexpr std::size_t kBytes = 1 << 14;
  for (const char* name : {"r1", "v3", "v32", "v4", "v41", "kimi_k2", "hermes", "llama3"}) {
    const AnswerSyntax syntax = *AnswerSyntaxNamed(name);
    for (const char* unit :
         {"<", " ", "<tool_call>", "<tool_call>{", "<tool_call>{\"name\":", "</think",
          "{\"a\":", "`", "<\uFF5Ctool\u2581calls\u2581begin\uFF5C>",
          "<\uFF5Ctool\u2581call\u2581begin\uFF5C>", "<|tool_calls_section_begin|> ",
          "<|tool_call_begin|>x", "<tool_call>{\"x\": \""}) {
      const double small =
          std::min(SecondsFor(syntax, unit, kBytes), SecondsFor(syntax, unit, kBytes));
      const double large = SecondsFor(syntax, unit, 8 * kBytes);
      EXPECT_TRUE(large < 0.1 || large < 24 * small)
          << name << " " << unit << ": " << small << " s, then " << large << " s";
    }
  }
}

}  // namespace
}  // namespace hadal
