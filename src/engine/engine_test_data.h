// What the tests of Session and Answer share: an engine around a FakeModel that writes what a test
// tells it to, with a tokenizer of single characters.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/engine_impl.h"
#include "engine/fake_model.h"
#include "hadal/engine.h"

namespace hadal {

// Tokens: 0 "<|end|>" (special), 1 to 95 the printable ASCII characters, 96 the bytes of no
// character (a lead byte of UTF-8).
inline std::shared_ptr<const Tokenizer> SmallTokenizer() {
  std::string vocab = "\"<|end|>\":0";
  for (int id = 1; id <= 95; ++id) {
    std::string piece;
    // The byte-level alphabet writes the space as U+0120.
    AppendJsonString(&piece, id == 1 ? "\u0120" : std::string(1, static_cast<char>(31 + id)));
    vocab += "," + piece + ":" + std::to_string(id);
  }
  vocab += ",\"\u00e2\":96";  // the byte E2
  const std::string text =
      "{\"added_tokens\":[{\"id\":0,\"content\":\"<|end|>\",\"special\":true}],"
      "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false},"
      "\"decoder\":{\"type\":\"ByteLevel\"},"
      "\"model\":{\"type\":\"BPE\",\"vocab\":{" +
      vocab + "},\"merges\":[]}}";
  const auto document = ParseJson(text, "test");
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  const auto tokenizer = Tokenizer::FromJson(document->root(), nullptr, nullptr, "test");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  return *tokenizer;
}

inline std::int32_t Id(char c) { return c - 31; }

struct EngineFixture {
  explicit EngineFixture(bool with_tokenizer = true, const std::string& format = "",
                         std::int64_t context_tokens = 0) {
    auto owned = std::make_unique<FakeModel>(ModelOptions{});
    model = owned.get();
    Language language;
    if (with_tokenizer) {
      language.tokenizer = SmallTokenizer();
      language.ends = language.chat_ends = {0};
    } else {
      language.no_tokenizer = Unusable("model", "no tokenizer", "a tokenizer", "use ids");
    }
    language.no_format = Unsupported("model", "no chat template", "a known one", "--raw");
    if (!format.empty()) language.format = *FindPromptFormat(format);
    EngineInfo info;
    info.context_tokens = context_tokens;
    engine = MakeEngine(std::move(owned), std::move(language), info);
  }
  // The model writes `answer` after whatever prompt ends with `after`, then ends.
  void Script(char after, std::string answer) {
    model->script = [after, answer](const std::vector<std::int32_t>& tokens) -> std::int32_t {
      std::size_t at = tokens.size();
      while (at > 0 && tokens[at - 1] != Id(after)) --at;
      const std::size_t written = tokens.size() - at;
      return written < answer.size() ? Id(answer[written]) : 0;
    };
  }
  FakeModel* model;
  std::shared_ptr<Engine> engine;
};

inline GenerateRequest Greedy(std::string text) {
  GenerateRequest request;
  request.prompt = RawText{std::move(text)};
  request.sampling.temperature = 0;
  return request;
}

}  // namespace hadal
