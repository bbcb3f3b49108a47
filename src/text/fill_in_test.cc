#include "text/fill_in.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "text/byte_level.h"
#include "text/utf8.h"

namespace hadal {
namespace {

using Ids = std::vector<TokenId>;

// The 256 bytes, and added tokens from id 256 on.
std::shared_ptr<const Tokenizer> Make(const std::vector<std::string>& added, bool add_bos) {
  std::string vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    std::string character;
    AppendUtf8(&character, ByteLevelCharacter(static_cast<std::uint8_t>(byte)));
    if (byte > 0) vocabulary += ",";
    AppendJsonString(&vocabulary, character);
    vocabulary += ":" + std::to_string(byte);
  }
  std::string tokens;
  for (std::size_t i = 0; i < added.size(); ++i) {
    tokens += (i > 0 ? "," : "") + ("{\"id\":" + std::to_string(256 + i)) + ",\"content\":";
    AppendJsonString(&tokens, added[i]);
    tokens += ",\"special\":true}";
  }
  const auto file = ParseJson(
      "{\"added_tokens\":[" + tokens +
          "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":"
          "false},\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{" +
          vocabulary + "},\"merges\":[]}}",
      "tokenizer.json");
  EXPECT_TRUE(file.ok()) << file.status().ToString();
  const auto config =
      ParseJson(add_bos ? R"({"bos_token":"<s>","add_bos_token":true})" : "{}", "c");
  auto made = Tokenizer::FromJson(file->root(), &config->root(), nullptr, "tokenizer.json");
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return *made;
}

TEST(FillIn, PutsTheMarksOfDeepSeek) {
  const auto tokenizer = Make({"<s>", "<\uFF5Cfim\u2581begin\uFF5C>", "<\uFF5Cfim\u2581hole\uFF5C>",
                               "<\uFF5Cfim\u2581end\uFF5C>"},
                              true);
  const auto prompt = EncodeFillIn(*tokenizer, "a", "b<s>");
  ASSERT_TRUE(prompt.ok()) << prompt.status().ToString();
  EXPECT_EQ(prompt->ids, (Ids{256, 257, 'a', 258, 'b', '<', 's', '>', 259}))
      << "text never becomes a special token";
  EXPECT_TRUE(prompt->ends.empty());
}

TEST(FillIn, PutsTheMarksOfQwen) {
  const auto tokenizer =
      Make({"<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"}, false);
  const auto prompt = EncodeFillIn(*tokenizer, "", "b");
  ASSERT_TRUE(prompt.ok()) << prompt.status().ToString();
  EXPECT_EQ(prompt->ids, (Ids{256, 258, 'b', 257}));
  EXPECT_EQ(prompt->ends, Ids{259});
}

TEST(FillIn, RefusesAVocabularyWithoutMarks) {
  const auto tokenizer = Make({"<s>", "<|fim_prefix|>", "<|fim_suffix|>"}, false);
  EXPECT_FALSE(KnowsFillIn(*tokenizer));
  const auto prompt = EncodeFillIn(*tokenizer, "a", "b");
  ASSERT_FALSE(prompt.ok());
  EXPECT_EQ(prompt.status().code(), Code::kUnsupported);
  EXPECT_EQ(prompt.status().where(), "suffix");
}

}  // namespace
}  // namespace hadal
