#include "text/pre_tokenizer.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace hadal {
namespace {

using Pieces = std::vector<std::string>;

Pieces SplitWith(const PreTokenizer& splitter, std::string_view text) {
  MatchScratch scratch;
  std::string changed;
  std::vector<std::string_view> views;
  EXPECT_TRUE(splitter.Split(text, &scratch, &changed, &views).ok());
  return Pieces(views.begin(), views.end());
}

Pieces Named(std::string_view name, std::string_view text) {
  const Result<PreTokenizer> splitter = PreTokenizer::FromName(name, "test");
  EXPECT_TRUE(splitter.ok()) << splitter.status().ToString();
  return SplitWith(*splitter, text);
}

Result<PreTokenizer> FromText(const std::string& json) {
  const Result<MetadataDocument> document = ParseJson(json, "test");
  EXPECT_TRUE(document.ok()) << json;
  return PreTokenizer::FromJson(document->root(), "pre_tokenizer");
}

TEST(PreTokenizerNames, EveryNameCompilesAndKeepsTheText) {
  const std::string text =
      "It's 2024, D\u00E9j\u00E0 vu!\r\n\t \u4E2D\u6587\u3002 x_y  (\u0E01)\n\n ";
  for (const NamedPreTokenizer& entry : NamedPreTokenizers())
    for (const std::string_view name : entry.names) {
      std::string joined;
      for (const std::string& piece : Named(name, text)) joined += piece;
      EXPECT_EQ(joined, text) << name;
    }
  const Status unknown = PreTokenizer::FromName("tekken", "where").status();
  EXPECT_EQ(unknown.code(), Code::kUnsupported);
  EXPECT_NE(unknown.ToString().find("tekken"), std::string::npos);
  EXPECT_NE(unknown.ToString().find("deepseek-v3"), std::string::npos);
  EXPECT_FALSE(unknown.hint().empty());
}

TEST(PreTokenizerNames, Gpt2AndSmolLm) {
  EXPECT_EQ(Named("gpt-2", "It's 'S 123 a1  b\t\tc "),
            (Pieces{"It", "'s", " '", "S", " 123", " a", "1", " ", " b", "\t", "\t", "c", " "}));
  EXPECT_EQ(Named("smollm", "a 123 \u0663"), (Pieces{"a", " ", "1", "2", "3", " ", "\u0663"}));
}

TEST(PreTokenizerNames, Qwen2AndLlama3DifferInDigits) {
  const std::string text = "I'LL go!\n\n 12345 \u00E9t\u00E9..\r\nx";
  EXPECT_EQ(Named("qwen2", text), (Pieces{"I", "'LL", " go", "!\n\n", " ", "1", "2", "3", "4", "5",
                                          " \u00E9t\u00E9", "..\r\n", "x"}));
  EXPECT_EQ(Named("llama-bpe", text), (Pieces{"I", "'LL", " go", "!\n\n", " ", "123", "45",
                                              " \u00E9t\u00E9", "..\r\n", "x"}));
  EXPECT_EQ(Named("deepseek-r1-qwen", text), Named("qwen2", text));
}

// Every alternative of Llama 3's pattern, and where each begins and ends.
TEST(PreTokenizerNames, Llama3EveryAlternative) {
  EXPECT_EQ(Named("llama-bpe", "he's he'\u017F we'RE"),
            (Pieces{"he", "'s", " he", "'\u017F", " we", "'RE"}));
  EXPECT_EQ(Named("llama-bpe", "_word \u4E2D\u6587\u0301z"),
            (Pieces{"_word", " \u4E2D\u6587", "\u0301z"}));
  EXPECT_EQ(Named("llama-bpe", "1234567"), (Pieces{"123", "456", "7"}));
  EXPECT_EQ(Named("llama-bpe", "a ?!\u3002\n\nb"), (Pieces{"a", " ?!\u3002\n\n", "b"}));
  EXPECT_EQ(Named("llama-bpe", "a \t\n \nb"), (Pieces{"a", " \t\n \n", "b"}));
  EXPECT_EQ(Named("llama-bpe", "a   b"), (Pieces{"a", "  ", " b"}));
  EXPECT_EQ(Named("llama-bpe", "a   "), (Pieces{"a", "   "}));
  EXPECT_EQ(Named("llama-bpe", "1 2"), (Pieces{"1", " ", "2"}));
}

// Every alternative of Kimi's pattern. Han punctuation (U+3002) is no Han character; the iteration
// mark U+3005 is both Han and Lm, and goes with the Han run.
TEST(PreTokenizerNames, KimiEveryAlternative) {
  EXPECT_EQ(Named("kimi-k2", "\u4E2D\u6587\u3005\u3002\uFF0C\u6587"),
            (Pieces{"\u4E2D\u6587\u3005", "\u3002\uFF0C", "\u6587"}));
  EXPECT_EQ(Named("kimi-k2", "abc\u4E2Ddef"), (Pieces{"abc", "\u4E2D", "def"}));
  EXPECT_EQ(Named("kimi-k2", "HelloWorld HTTPServer"), (Pieces{"Hello", "World", " HTTPServer"}));
  EXPECT_EQ(Named("kimi-k2", "it's WE'LL ABC's"), (Pieces{"it's", " WE'LL", " ABC's"}));
  EXPECT_EQ(Named("kimi-k2", "ABC"), (Pieces{"ABC"})) << "the third alternative";
  EXPECT_EQ(Named("kimi-k2", "\u0E01\u0E34\u30A2\u3042"), (Pieces{"\u0E01\u0E34\u30A2\u3042"}))
      << "Lo and M are in both sets";
  EXPECT_EQ(Named("kimi-k2", "12345"), (Pieces{"123", "45"}));
  EXPECT_EQ(Named("kimi-k2", "x ++\n\ny"), (Pieces{"x", " ++\n\n", "y"}));
  EXPECT_EQ(Named("kimi-k2", "x \n\t\r\ny"), (Pieces{"x", " \n\t\r\n", "y"}));
  EXPECT_EQ(Named("kimi-k2", "x   y  "), (Pieces{"x", "  ", " y", "  "}));
  EXPECT_EQ(Named("kimi-k2", "1\t2"), (Pieces{"1", "\t", "2"}));
  EXPECT_EQ(Named("kimi-k2", "\u3002\u4E2D"), (Pieces{"\u3002", "\u4E2D"}));
  EXPECT_EQ(Named("kimi-k2", "\u3002abc"), (Pieces{"\u3002abc"})) << "one sign may lead a word";
}

TEST(PreTokenizerNames, DeepSeek) {
  EXPECT_EQ(Named("deepseek-v3", "a.b 1234\u4E2D\u3042!x\n"),
            (Pieces{"a", ".b", " ", "123", "4", "\u4E2D\u3042", "!x", "\n"}));
  EXPECT_EQ(Named("deepseek-llm", "ab 12\r\n x!? \u4E2D \u00F6\u0E01  "),
            (Pieces{"ab", " ", "1", "2", "\r", "\n", " x", "!?", " ", "\u4E2D", " \u00F6", "\u0E01",
                    "  "}));
  EXPECT_EQ(Named("deepseek-coder", "a+b 12\u4E2D, c"),
            (Pieces{"a", "+", "b", " ", "1", "2", "\u4E2D", ",", " c"}));
}

TEST(PreTokenizerJson, Steps) {
  const Result<PreTokenizer> digits = FromText(
      R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":false},
          {"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})");
  ASSERT_TRUE(digits.ok());
  EXPECT_EQ(SplitWith(*digits, "a12\u0663b\u00B2"), (Pieces{"a", "12\u0663", "b", "\u00B2"}));
  const Result<PreTokenizer> text = FromText(
      R"({"type":"Sequence","pretokenizers":[
          {"type":"Split","pattern":{"String":".*"},"behavior":"MergedWithNext","invert":false},
          {"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})");
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(SplitWith(*text, "a.*b.c"), (Pieces{"a", ".*b.c"}));
}

TEST(PreTokenizerJson, PrefixSpace) {
  const Result<PreTokenizer> prefix = FromText(
      R"({"type":"Sequence","pretokenizers":[
          {"type":"Split","pattern":{"Regex":"\\|"},"behavior":"Removed"},
          {"type":"ByteLevel"}]})");
  ASSERT_TRUE(prefix.ok()) << prefix.status().ToString();
  EXPECT_EQ(SplitWith(*prefix, "\u00E9t\u00E9| b|c d"),
            (Pieces{" \u00E9t\u00E9", " b", " c", " d"}));
  EXPECT_EQ(SplitWith(*prefix, ""), Pieces{});
}

TEST(PreTokenizerJson, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type":"Metaspace"})", "Metaspace"},
      {R"(null)", "null"},
      {R"({"type":"Sequence","pretokenizers":[]})", "ByteLevel"},
      {R"({"type":"Sequence"})", "no list"},
      {R"({"type":"Digits"})", "ByteLevel"},
      {R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]})", "behind"},
      {R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"Sideways"})", "Sideways"},
      {R"({"type":"Split","pattern":{"Regex":"a"}})", "nothing"},
      {R"({"type":"Split","pattern":{},"behavior":"Isolated"})", "neither"},
      {R"({"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"})", "without its end"},
      {R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"Isolated","invert":3})", "3"},
      {R"({"type":"ByteLevel","use_regex":"yes"})", "yes"}};
  for (const auto& [json, name] : cases) {
    const Status status = FromText(json).status();
    EXPECT_FALSE(status.ok()) << json;
    EXPECT_NE(status.ToString().find(name), std::string::npos) << status.ToString();
  }
  std::string nested = R"({"type":"ByteLevel"})";
  for (int i = 0; i < 20; ++i) nested = R"({"type":"Sequence","pretokenizers":[)" + nested + "]}";
  EXPECT_FALSE(FromText(nested).ok());
}

}  // namespace
}  // namespace hadal
