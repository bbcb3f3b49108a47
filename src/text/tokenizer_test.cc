#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/json.h"
#include "text/byte_level.h"
#include "text/stream_decoder.h"
#include "text/utf8.h"

namespace hadal {
namespace {

using Ids = std::vector<TokenId>;
using Made = Result<std::shared_ptr<const Tokenizer>>;

MetadataDocument Json(const std::string& text) {
  Result<MetadataDocument> document = ParseJson(text, "test");
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  return document.ok() ? *document : MetadataDocument();
}

// "key":"value" pairs for the 256 single bytes, ids from 0.
std::string ByteVocabulary() {
  std::string out;
  for (int byte = 0; byte < 256; ++byte) {
    std::string character;
    AppendUtf8(&character, ByteLevelCharacter(static_cast<std::uint8_t>(byte)));
    AppendJsonString(&out, character);
    out += ":" + std::to_string(byte) + ",";
  }
  return out;
}

struct Pieces {
  std::string vocabulary = R"("he":256,"ll":257,"hell":258,"\u0120w":259)";
  std::string merges = R"("h e",["l","l"],"he ll","\u0120 w")";
  std::string model = R"("type":"BPE")";
  std::string added = R"({"id":260,"content":"<s>","special":true},
                         {"id":261,"content":"<think>","special":false})";
  std::string rest = R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
                        "decoder":{"type":"ByteLevel"},"normalizer":null)";
};

std::string File(const Pieces& pieces) {
  return "{\"added_tokens\":[" + pieces.added + "]," + pieces.rest + ",\"model\":{" + pieces.model +
         ",\"vocab\":{" + ByteVocabulary() + pieces.vocabulary + "},\"merges\":[" + pieces.merges +
         "]}}";
}

Made Make(const Pieces& pieces, const char* config = nullptr, const char* overlay = nullptr) {
  const MetadataDocument file = Json(File(pieces));
  const MetadataDocument config_tree = Json(config != nullptr ? config : "null");
  const MetadataDocument overlay_tree = Json(overlay != nullptr ? overlay : "null");
  return Tokenizer::FromJson(file.root(), config != nullptr ? &config_tree.root() : nullptr,
                             overlay != nullptr ? &overlay_tree.root() : nullptr, "tokenizer.json");
}

Ids Encode(const Tokenizer& tokenizer, std::string_view text,
           AddedTokenUse use = AddedTokenUse::kAll) {
  const Result<Ids> ids = tokenizer.Encode(text, use);
  EXPECT_TRUE(ids.ok()) << ids.status().ToString();
  return ids.ok() ? *ids : Ids();
}

TEST(Tokenizer, EncodesAndDecodes) {
  const Made made = Make({}, R"({"bos_token":{"content":"<s>"},"eos_token":"<think>",
                                 "add_bos_token":true})");
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  const Tokenizer& tokenizer = **made;
  EXPECT_EQ(Encode(tokenizer, "hello w"), (Ids{258, 'o', 259}));
  EXPECT_EQ(tokenizer.Decode(Ids{258, 'o', 259}), "hello w");
  EXPECT_EQ(Encode(tokenizer, "\xFFh"), (Ids{0xEF, 0xBF, 0xBD, 'h'})) << "U+FFFD";
  EXPECT_EQ(Encode(tokenizer, ""), Ids{});
  EXPECT_EQ(tokenizer.Decode(Ids{0xE4, 0xB8, 'a', -1, 9999}),
            "\uFFFD"
            "a");
  EXPECT_EQ(tokenizer.TokenBytes(259), " w");
  EXPECT_EQ(tokenizer.TokenBytes(0xE4), "\xE4");
  EXPECT_EQ(tokenizer.TokenBytes(-1), "");
  EXPECT_EQ(tokenizer.TokenBytes(262), "");
  EXPECT_EQ(tokenizer.TokenToId("<think>"), 261);
  EXPECT_EQ(tokenizer.TokenToId(" w"), 259);
  EXPECT_EQ(tokenizer.TokenToId("absent"), std::nullopt);
  EXPECT_EQ(tokenizer.vocabulary(), 262);
  EXPECT_EQ(tokenizer.bos(), 260);
  EXPECT_EQ(tokenizer.eos(), 261);
  EXPECT_TRUE(tokenizer.add_bos());
  EXPECT_TRUE(tokenizer.IsSpecial(260) && !tokenizer.IsSpecial(261) && !tokenizer.IsSpecial(-1));
}

TEST(Tokenizer, AddedTokenUse) {
  const Made made = Make({});
  ASSERT_TRUE(made.ok());
  const std::string text = "<s><think>h";
  EXPECT_EQ(Encode(**made, text, AddedTokenUse::kAll), (Ids{260, 261, 'h'}));
  EXPECT_EQ(Encode(**made, text, AddedTokenUse::kSpecialAsText), (Ids{'<', 's', '>', 261, 'h'}));
  EXPECT_EQ(Encode(**made, text, AddedTokenUse::kNone).size(), text.size());
  EXPECT_EQ((*made)->Decode(Ids{260, 261, 'h'}, true), "<think>h");
}

TEST(Tokenizer, AddedTokenFlags) {
  Pieces pieces;
  pieces.added = R"({"id":260,"content":"<l>","lstrip":true,"special":true},
                    {"id":261,"content":"<r>","rstrip":true,"special":true},
                    {"id":262,"content":"word","single_word":true,"special":true},
                    {"id":263,"content":"<l","special":true},
                    {"id":264,"content":"<l>!!","special":true})";
  const Made made = Make(pieces);
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_EQ(Encode(**made, "a \t<l> b"), (Ids{'a', 260, ' ', 'b'}));
  EXPECT_EQ(Encode(**made, "a <r>\u3000 b"), (Ids{'a', ' ', 261, 'b'}));
  EXPECT_EQ(Encode(**made, "<r>  <l>"), (Ids{261, 260})) << "white space is taken once";
  EXPECT_EQ(Encode(**made, "word words aword (word)").front(), 262);
  EXPECT_EQ(Encode(**made, "words").size(), 5u);
  EXPECT_EQ(Encode(**made, "\u00E9word").size(), 6u);
  EXPECT_EQ(Encode(**made, "(word)"), (Ids{'(', 262, ')'}));
  EXPECT_EQ(Encode(**made, "<l>!!<l>!<l"), (Ids{264, 260, '!', 263})) << "the longest wins";
}

TEST(Tokenizer, NormalizedTokensAreFoundInTheNormalisedText) {
  Pieces pieces;
  pieces.rest = R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
                   "normalizer":{"type":"NFC"})";
  pieces.added = R"({"id":260,"content":"e\u0301!","special":false,"normalized":true},
                    {"id":261,"content":"e\u0301?","special":false,"normalized":false})";
  const Made made = Make(pieces);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(Encode(**made, "\u00E9!"), (Ids{260}));
  EXPECT_EQ(Encode(**made, "e\u0301!"), (Ids{260}));
  EXPECT_EQ(Encode(**made, "e\u0301?"), (Ids{261}));
  EXPECT_EQ(Encode(**made, "\u00E9?"), (Ids{0xC3, 0xA9, '?'}));
}

TEST(Tokenizer, OverlayRenamesAndAdds) {
  const Made made = Make({}, nullptr, R"({"added_tokens":[{"id":261,"content":"<new>"},
                                          {"id":270,"content":"<more>","special":true}]})");
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_EQ(Encode(**made, "<new><more>"), (Ids{261, 270}));
  EXPECT_EQ(Encode(**made, "<think>").size(), 7u);
  EXPECT_EQ((*made)->Decode(Ids{261, 270}), "<new><more>");
  EXPECT_EQ((*made)->vocabulary(), 271);
  EXPECT_FALSE(Make({}, nullptr, "{}").ok());
  EXPECT_FALSE(Make({}, nullptr, R"({"added_tokens":[{"id":1}]})").ok());
}

TEST(Tokenizer, BosOfATemplate) {
  Pieces pieces;
  pieces.rest += R"(,"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},
      {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},
       {"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[260]}}}]})";
  const Made made = Make(pieces);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ((*made)->bos(), 260);
  EXPECT_TRUE((*made)->add_bos());
  const Made overruled = Make(pieces, R"({"add_bos_token":false})");
  ASSERT_TRUE(overruled.ok());
  EXPECT_FALSE((*overruled)->add_bos());
}

// One thing wrong at a time: the message names it.
TEST(Tokenizer, RefusesBrokenFiles) {
  const auto expect = [](const Pieces& pieces, Code code, std::string_view part) {
    const Status status = Make(pieces).status();
    EXPECT_EQ(status.code(), code) << part << ": " << status.ToString();
    EXPECT_NE(status.ToString().find(part), std::string::npos) << status.ToString();
    EXPECT_FALSE(status.where().empty() || status.found().empty() || status.expected().empty());
  };
  const auto with = [](std::string Pieces::* member, const char* value) {
    Pieces pieces;
    pieces.*member = value;
    return pieces;
  };
  using enum Code;
  expect(with(&Pieces::model, R"("type":"Unigram")"), kUnsupported, "Unigram");
  expect(with(&Pieces::model, R"("byte_fallback":true)"), kUnsupported, "byte_fallback");
  expect(with(&Pieces::model, R"("end_of_word_suffix":"</w>")"), kUnsupported, "</w>");
  expect(with(&Pieces::model, R"("dropout":0.1)"), kUnsupported, "dropout");
  expect(with(&Pieces::model, R"("unk_token":"<unk>")"), kUnusable, "<unk>");
  expect(with(&Pieces::vocabulary, R"("he":5)"), kUnusable, "the id 5");
  expect(with(&Pieces::vocabulary, R"("he":-1)"), kUnusable, "-1");
  expect(with(&Pieces::vocabulary, R"("he":99999999999)"), kUnusable, "99999999999");
  expect(with(&Pieces::vocabulary, R"("he":"x")"), kUnusable, "an integer");
  expect(with(&Pieces::vocabulary, R"("":256)"), kUnusable, "an empty token");
  expect(with(&Pieces::vocabulary, R"("he":256,"he":257)"), kUnusable, "\"he\"");
  expect(with(&Pieces::merges, R"("h e","q qq")"), kUnusable, "\"qq\"");
  expect(with(&Pieces::merges, R"("o o")"), kUnusable, "\"o\"");
  expect(with(&Pieces::merges, R"("h e l")"), kUnusable, "merges[0]");
  expect(with(&Pieces::merges, R"("he")"), kUnusable, "one space");
  expect(with(&Pieces::merges, R"(["h"])"), kUnusable, "an array of 1");
  expect(with(&Pieces::merges, R"(3)"), kUnusable, "3");
  expect(with(&Pieces::added, R"({"id":-4,"content":"x"})"), kUnusable, "-4");
  expect(with(&Pieces::added, R"({"id":8000000,"content":"x"})"), kUnusable, "8000000");
  expect(with(&Pieces::added, R"({"content":"x"})"), kUnusable, "no id");
  expect(with(&Pieces::added, R"({"id":260,"content":""})"), kUnusable, "content");
  expect(with(&Pieces::added, R"({"id":260,"content":"x"},{"id":260,"content":"y"})"), kUnusable,
         "two added tokens");
  expect(with(&Pieces::added, R"({"id":260,"content":"x"},{"id":261,"content":"x"})"), kUnusable,
         "one id");
  expect(with(&Pieces::rest, R"("pre_tokenizer":null)"), kUnsupported, "null");
  expect(with(&Pieces::rest, R"("normalizer":{"type":"Nmt"},"pre_tokenizer":{"type":"ByteLevel"})"),
         kUnsupported, "Nmt");
  expect(with(&Pieces::rest, R"("decoder":{"type":"Fuse"},"pre_tokenizer":{"type":"ByteLevel"})"),
         kUnsupported, "Fuse");
  const Status bos = Make({}, R"({"bos_token_id":5000})").status();
  EXPECT_NE(bos.ToString().find("5000"), std::string::npos) << bos.ToString();
  EXPECT_FALSE(Make({}, R"({"add_bos_token":3})").ok());
  EXPECT_FALSE(Make({}, "[]").ok());
  const MetadataDocument empty = Json("{}");
  EXPECT_FALSE(Tokenizer::FromJson(empty.root(), nullptr, nullptr, "x").ok());
}

TEST(Tokenizer, RunawayPatternIsAnErrorOfEncode) {
  Pieces pieces;
  pieces.rest = R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[
      {"type":"Split","pattern":{"Regex":"(?:a|a)*b"},"behavior":"Isolated"},
      {"type":"ByteLevel","add_prefix_space":false}]})";
  const Made made = Make(pieces);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ((*made)->Encode(std::string(60, 'a') + "cb", AddedTokenUse::kAll).status().code(),
            Code::kFailed);
  EXPECT_TRUE((*made)->Encode("aab", AddedTokenUse::kAll).ok());
}

// Streams equal the whole, at every cut, for any ids.
TEST(Tokenizer, StreamDecoder) {
  const Made made = Make({});
  ASSERT_TRUE(made.ok());
  const Ids ids = {260, 0xF0, 0x9F, 0x98, 0x80, 258, 0xE4, 'x', 0xC3, 261, 0xE4, 0xB8};
  StreamDecoder decoder(*made), skipping(*made, true);
  std::string joined, skipped;
  std::vector<std::string> pieces;
  for (const TokenId id : ids) {
    pieces.push_back(decoder.Push(id));
    joined += pieces.back();
    skipped += skipping.Push(id);
  }
  EXPECT_EQ(pieces, (std::vector<std::string>{"<s>", "", "", "", "\U0001F600", "hell", "",
                                              "\uFFFDx", "", "\uFFFD<think>", "", ""}));
  EXPECT_EQ(joined + decoder.Flush(), (*made)->Decode(ids));
  EXPECT_EQ(skipped + skipping.Flush(), (*made)->Decode(ids, true));
}

TEST(Tokenizer, ManyThreadsShareOne) {
  const Made made = Make({});
  ASSERT_TRUE(made.ok());
  const std::string text = "hello w hell he ll well \u4E2D " + std::string(500, 'l');
  const Ids expected = Encode(**made, text);
  const Made fresh = Make({});  // its memo is empty
  std::vector<std::thread> threads;
  std::atomic<int> equal{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int again = 0; again < 50; ++again)
        equal += (*fresh)->Encode(text, AddedTokenUse::kAll).value() == expected ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, 200);
}

// --- GGUF ------------------------------------------------------------------------------------

struct GgufParts {
  std::string model = "gpt2", pre = "gpt-2", rest = "";
  bool merges = true;
};

Made MakeGguf(const GgufParts& parts) {
  std::string tokens, types;
  for (int byte = 0; byte < 256; ++byte) {
    std::string character;
    AppendUtf8(&character, ByteLevelCharacter(static_cast<std::uint8_t>(byte)));
    AppendJsonString(&tokens, character);
    tokens += ",";
    types += "1,";
  }
  const MetadataDocument header = Json(
      R"({"tokenizer.ggml.model":")" + parts.model + R"(","tokenizer.ggml.pre":")" + parts.pre +
      R"(","tokenizer.ggml.tokens":[)" + tokens + R"("he","<s>","<user>","<unused>",""],)" +
      R"("tokenizer.ggml.token_type":[)" + types + "1,3,4,5,1]" +
      (parts.merges ? R"(,"tokenizer.ggml.merges":["h e"])" : "") + parts.rest + "}");
  return Tokenizer::FromGguf(header.root(), nullptr, "x.gguf");
}

TEST(TokenizerGguf, ReadsTheKeys) {
  const Made made = MakeGguf({.rest = R"(,"tokenizer.ggml.bos_token_id":257,
      "tokenizer.ggml.eos_token_id":258,"tokenizer.ggml.add_bos_token":true)"});
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_EQ(Encode(**made, "he<s><user>"), (Ids{256, 257, 258}));
  EXPECT_EQ(Encode(**made, "<s><user>", AddedTokenUse::kSpecialAsText), (Ids{'<', 's', '>', 258}));
  EXPECT_EQ(Encode(**made, "<unused>").size(), 8u);
  EXPECT_EQ((*made)->bos(), 257);
  EXPECT_EQ((*made)->eos(), 258);
  EXPECT_TRUE((*made)->add_bos());
  EXPECT_EQ((*made)->vocabulary(), 261) << "an empty token is an id without text";
  const Made llama =
      MakeGguf({.pre = "llama-bpe", .rest = R"(,"tokenizer.ggml.bos_token_id":257)"});
  ASSERT_TRUE(llama.ok());
  EXPECT_TRUE((*llama)->add_bos()) << "the default of this name";
  EXPECT_FALSE((*MakeGguf({}))->add_bos());
}

TEST(TokenizerGguf, KimiWithoutMergesGoesByRank) {
  const Made made = MakeGguf({.pre = "kimi-k2", .merges = false});
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_EQ(Encode(**made, "hehx"), (Ids{256, 'h', 'x'}));
  EXPECT_FALSE(MakeGguf({.merges = false}).ok());
}

TEST(TokenizerGguf, RefusesByName) {
  EXPECT_NE(MakeGguf({.model = "llama"}).status().ToString().find("llama"), std::string::npos);
  EXPECT_NE(MakeGguf({.model = "no_vocab"}).status().ToString().find("no vocabulary"),
            std::string::npos);
  EXPECT_NE(MakeGguf({.pre = "tekken"}).status().ToString().find("tekken"), std::string::npos);
  EXPECT_FALSE(MakeGguf({.rest = R"(,"tokenizer.ggml.bos_token_id":261)"}).ok());
  EXPECT_FALSE(MakeGguf({.rest = R"(,"tokenizer.ggml.eos_token_id":-1)"}).ok());
  EXPECT_FALSE(MakeGguf({.rest = R"(,"tokenizer.ggml.add_bos_token":1)"}).ok());
  EXPECT_FALSE(MakeGguf({.rest = R"(,"tokenizer.ggml.token_type":[1])"}).ok());
  EXPECT_FALSE(MakeGguf({.rest = R"(,"tokenizer.ggml.tokens":["a","a"],
                                    "tokenizer.ggml.token_type":[1,1])"})
                   .ok());
  const MetadataDocument bare = Json("{}");
  EXPECT_FALSE(Tokenizer::GgufHasTokenizer(bare.root()));
  EXPECT_FALSE(Tokenizer::FromGguf(bare.root(), nullptr, "x").ok());
}

// --- tiktoken --------------------------------------------------------------------------------

std::string Base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

// The 256 bytes, then a few longer tokens, ranks in order.
std::string RankFile() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(std::string(1, static_cast<char>(byte)));
  for (const char* token : {"he", "ll", "hell", "\u4E2D", "\u4E2D\u6587", "'s", " w", "xyz", "llo"})
    tokens.push_back(token);
  std::string out;
  for (std::size_t rank = 0; rank < tokens.size(); ++rank)
    out += Base64(tokens[rank]) + " " + std::to_string(rank) + "\n";
  return out;
}

constexpr const char* kKimiConfig = R"({"bos_token":"[BOS]","eos_token":"[EOS]",
  "added_tokens_decoder":{"265":{"content":"[BOS]","special":true},
                          "266":{"content":"[EOS]","special":true},
                          "270":{"content":"<|tool_calls_section_begin|>","special":false}}})";

Made MakeTiktoken(const std::string& ranks, const std::string& config = kKimiConfig) {
  const MetadataDocument tree = Json(config);
  return Tokenizer::FromTiktoken(ranks, &tree.root(), "tiktoken.model");
}

TEST(TokenizerTiktoken, MergesByRankAndTakesWholePieces) {
  const Made made = MakeTiktoken(RankFile());
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  const Tokenizer& tokenizer = **made;
  EXPECT_EQ(Encode(tokenizer, "hello"), (Ids{258, 'o'}));
  EXPECT_EQ(Encode(tokenizer, "xllo"), (Ids{'x', 264})) << "ll, then llo";
  EXPECT_EQ(Encode(tokenizer, "xyz"), (Ids{263})) << "no pair makes it, the whole piece does";
  EXPECT_EQ(Encode(tokenizer, "xyzx"), (Ids{'x', 'y', 'z', 'x'}));
  EXPECT_EQ(Encode(tokenizer, "\u4E2D\u6587\u3002"), (Ids{260, 0xE3, 0x80, 0x82}))
      << "Han punctuation is a piece of its own";
  EXPECT_EQ(Encode(tokenizer, "it's w"), (Ids{'i', 't', 261, 262}));
  EXPECT_EQ(tokenizer.vocabulary(), 265 + 256);
  EXPECT_EQ(tokenizer.bos(), 265);
  EXPECT_EQ(tokenizer.eos(), 266);
  EXPECT_EQ(Encode(tokenizer, "[BOS]he<|tool_calls_section_begin|><|reserved_token_267|>"),
            (Ids{265, 256, 270, 267}));
  EXPECT_EQ(Encode(tokenizer, "[BOS]<|tool_calls_section_begin|>", AddedTokenUse::kSpecialAsText),
            (Ids{'[', 'B', 'O', 'S', ']', 270}));
  EXPECT_EQ(tokenizer.Decode(Ids{265, 259, 0xE6, 270}, true),
            "\u4E2D\uFFFD<|tool_calls_section_begin|>");
}

TEST(TokenizerTiktoken, RefusesBrokenFiles) {
  const std::string good = RankFile();
  EXPECT_TRUE(MakeTiktoken(good).ok());
  EXPECT_TRUE(Tokenizer::FromTiktoken(good, nullptr, "x").ok());
  for (const std::string& bad :
       {std::string(), good + "!!!! 265\n", good + "aGU= \n", good + "aGU=265\n",
        good + "aGU= -1\n", good + "aGU= 4\n", good + "aGU= 265\n", good + "eHh4 300\n",
        good + "aGU 265\n", good + "eHh4 99999999999999999999\n", std::string("YQ== 0\n"),
        good + Base64(std::string(2000, 'z')) + " 265\n"})
    EXPECT_FALSE(MakeTiktoken(bad).ok())
        << bad.substr(bad.size() - std::min<std::size_t>(30, bad.size()));
  for (const char* config :
       {R"({"added_tokens_decoder":{"3":{"content":"x"}}})",
        R"({"added_tokens_decoder":{"x":{"content":"x"}}})",
        R"({"added_tokens_decoder":{"270":{}}})", R"({"added_tokens_decoder":[]})",
        R"({"added_tokens_decoder":{"270":{"content":"<|reserved_token_271|>"}}})"})
    EXPECT_FALSE(MakeTiktoken(good, config).ok()) << config;
}

TEST(LoadTokenizer, FindsTheFilesOfAFolder) {
  const auto folder = std::filesystem::temp_directory_path() / "hadal_load_tokenizer";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  EXPECT_FALSE(LoadTokenizer(folder.string()).ok());
  std::ofstream(folder / "tiktoken.model") << RankFile();
  std::ofstream(folder / "tokenizer_config.json") << kKimiConfig;
  const Made kimi = LoadTokenizer(folder.string());
  ASSERT_TRUE(kimi.ok()) << kimi.status().ToString();
  EXPECT_EQ((*kimi)->bos(), 265);
  std::ofstream(folder / "tokenizer.json") << File({});
  std::ofstream(folder / "tokenizer_config.json") << R"({"bos_token":"<s>"})";
  const Made json = LoadTokenizer((folder / "tokenizer.json").string());
  ASSERT_TRUE(json.ok()) << json.status().ToString();
  EXPECT_EQ((*json)->bos(), 260);
  EXPECT_EQ((*LoadTokenizer(folder.string()))->vocabulary(), 262);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hadal
