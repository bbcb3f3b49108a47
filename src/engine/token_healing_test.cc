// D-23: what a model goes on with may end anywhere, within a token or a character. The model of
// these tests writes one text in its own tokens and is lost where a prompt is cut into others.
#include "engine/token_healing.h"

#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>

#include "base/utf8.h"
#include "engine/channel.h"
#include "engine/engine_test_data.h"
#include "engine/ngram_draft.h"
#include "text/byte_level.h"
#include "text/utf8.h"

namespace hadal {
namespace {

// Latin, Han, Cyrillic, an emoji of two code points, and a word whose merges go the other way.
constexpr std::string_view kWords[] = {
    "Gr\xC3\xB6\xC3\x9F"
    "e",
    " \xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", " \xD0\xBC\xD0\xB8\xD1\x80",
    " \xF0\x9F\x91\x8B\xF0\x9F\x8F\xBD", " hello"};
constexpr std::string_view kForm = "{\"ab\":1}";

std::string Text() {
  std::string text;
  for (const std::string_view word : kWords) text += word;
  return text;
}

// Writes a tokenizer.json: single bytes, and the merges that it is told.
class Vocabulary {
 public:
  explicit Vocabulary(std::string_view bytes) {
    for (const char* special : {"<|end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"}) {
      if (!added_.empty()) added_ += ',';
      added_ +=
          "{\"id\":" + std::to_string(size_) + ",\"content\":\"" + special + "\",\"special\":true}";
      Add(special);
    }
    for (const char byte : bytes)
      if (known_.insert(byte).second) Add(Written({&byte, 1}));
  }
  void Merge(std::string_view left, std::string_view right) {
    Add(Written(std::string(left) + std::string(right)));
    merges_ +=
        (merges_.empty() ? "[" : ",[") + Quoted(Written(left)) + "," + Quoted(Written(right)) + "]";
  }
  // Every beginning of the word is a token.
  void MergeChain(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) Merge(word.substr(0, i), word.substr(i, 1));
  }
  std::shared_ptr<const Tokenizer> Make() const {
    EXPECT_LE(size_, FakeModel::kVocabulary);
    const auto document = ParseJson(
        "{\"added_tokens\":[" + added_ +
            "],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
            "\"use_regex\":false},\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\","
            "\"vocab\":{" +
            vocab_ + "},\"merges\":[" + merges_ + "]}}",
        "test");
    EXPECT_TRUE(document.ok()) << document.status().ToString();
    const auto tokenizer = Tokenizer::FromJson(document->root(), nullptr, nullptr, "test");
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    return *tokenizer;
  }

 private:
  static std::string Written(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) AppendUtf8(&text, ByteLevelCharacter(static_cast<unsigned char>(c)));
    return text;
  }
  static std::string Quoted(const std::string& text) {
    std::string quoted;
    AppendJsonString(&quoted, text);
    return quoted;
  }
  void Add(const std::string& token) {
    vocab_ += (vocab_.empty() ? "" : ",") + Quoted(token) + ":" + std::to_string(size_++);
  }
  std::string vocab_, merges_, added_;
  std::set<char> known_;
  std::int64_t size_ = 0;
};

std::shared_ptr<const Tokenizer> Words() {
  Vocabulary vocabulary("<|>_\n:{}\"1 abelmnorstu" + Text());
  for (const std::string_view word : kWords)
    if (word != " hello") vocabulary.MergeChain(word);
  vocabulary.Merge("l", "o");
  vocabulary.Merge("e", "l");
  vocabulary.Merge("h", "el");
  vocabulary.Merge("hel", "lo");
  vocabulary.Merge(" ", "hello");
  vocabulary.MergeChain("{\"ab");
  return vocabulary.Make();
}

struct Healing {
  // Without a text to write, the model's logits are a hash of its tokens.
  explicit Healing(std::string written = Text(), std::uint64_t prefix_bytes = 0,
                   std::unique_ptr<Draft> draft = nullptr)
      : tokenizer(Words()), text(std::move(written)) {
    auto model = std::make_unique<FakeModel>(ModelOptions{});
    const auto ids = tokenizer->Encode(text, AddedTokenUse::kNone);
    EXPECT_TRUE(ids.ok());
    std::size_t at = 0;
    for (const std::int32_t id : *ids) {
      own[at] = id;
      at += tokenizer->TokenBytes(id).size();
    }
    if (!text.empty())
      model->script = [this](const std::vector<std::int32_t>& tokens) { return Next(tokens); };
    Language language;
    language.tokenizer = tokenizer;
    language.ends = language.chat_ends = {0};
    language.format = *FindPromptFormat("qwen2_5");
    StepLoopOptions options;
    options.prefixes.memory_bytes = prefix_bytes;
    options.draft_tokens = draft == nullptr ? 0 : 3;
    engine = MakeEngine(std::move(model), std::move(language), {}, options, std::move(draft));
  }
  // What follows the last '>' or line end, and of a prompt to be filled in what stands before the
  // hole; then a token of the text, where one begins there.
  std::int32_t Next(const std::vector<std::int32_t>& tokens) const {
    std::string written;
    bool counts = true;
    for (const std::int32_t token : tokens) {
      if (token == 1) written.clear();
      if (token == 2) counts = false;
      if (token == 3) counts = true;
      if (counts && token > 3) written += tokenizer->TokenBytes(token);
      if (const std::size_t mark = written.find_last_of(">\n"); mark != std::string::npos)
        written.erase(0, mark + 1);
    }
    if (written == text) return 0;
    const auto token = own.find(written.size());
    return text.starts_with(written) && token != own.end() ? token->second
                                                           : *tokenizer->TokenToId("s");
  }
  GenerateResult Answer(const GenerateRequest& request) const {
    Session session(engine);
    const auto result = session.Generate(request);
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    return result.ok() ? *result : GenerateResult{};
  }

  std::shared_ptr<const Tokenizer> tokenizer;
  std::string text;
  std::map<std::size_t, std::int32_t> own;
  std::shared_ptr<Engine> engine;
};

GenerateRequest Raw(std::string_view prefix, bool heal = true) {
  GenerateRequest request;
  request.prompt = RawText{.text = ">" + std::string(prefix), .heal = heal};
  request.sampling.temperature = 0;
  request.max_tokens = 40;
  return request;
}

GenerateRequest Prefill(std::string_view prefix) {
  GenerateRequest request = Raw("");
  Chat chat;
  chat.messages.push_back({.role = "user", .text = "say"});
  chat.messages.push_back({.role = "assistant", .text = std::string(prefix)});
  chat.continue_last = true;
  request.prompt = chat;
  return request;
}

GenerateRequest Fill(std::string_view before) {
  GenerateRequest request = Raw("");
  request.prompt = FillIn{.before = std::string(before), .after = " tail"};
  return request;
}

void ExpectUsage(const Healing& fixture, const GenerateRequest& request,
                 const GenerateResult& answer) {
  const auto ids = fixture.engine->Tokenize(request);
  ASSERT_TRUE(ids.ok()) << ids.status().ToString();
  EXPECT_EQ(answer.usage.prompt_tokens, std::ssize(*ids));
  EXPECT_EQ(answer.usage.generated_tokens, std::ssize(answer.ids));
}

TEST(TokenHealing, D23_EveryCutOfAMultilingualTextIsGoneOnWith) {
  const Healing fixture;
  const std::string text = Text();
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    const std::string prefix = text.substr(0, cut);
    for (const GenerateRequest& request : {Raw(prefix), Prefill(prefix), Fill(prefix)}) {
      const GenerateResult answer = fixture.Answer(request);
      EXPECT_EQ(prefix + answer.text, text) << cut;
      EXPECT_EQ(answer.finish_reason, FinishReason::kStop) << cut;
      ExpectUsage(fixture, request, answer);
    }
  }
}

TEST(TokenHealing, D23_WithoutItTheModelIsLost) {
  const Healing fixture;
  const std::string text = Text();
  int lost = 0;
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    const std::string prefix = text.substr(0, cut);
    lost += prefix + fixture.Answer(Raw(prefix, false)).text != text;
  }
  EXPECT_GT(lost, 20);
}

// Whatever a model writes: the character that was begun is finished, and nothing is said twice.
TEST(TokenHealing, D23_ARandomModelFinishesTheCharacter) {
  const Healing fixture("");
  const std::string text = Text();
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const std::string prefix = text.substr(0, cut);
      for (GenerateRequest request : {Raw(prefix), Prefill(prefix), Fill(prefix)}) {
        request.sampling.temperature = 1;
        request.sampling.seed = seed;
        request.max_tokens = 12;
        const GenerateResult answer = fixture.Answer(request);
        EXPECT_TRUE(IsUtf8(prefix + answer.text)) << cut << ": " << answer.text;
        EXPECT_LE(answer.usage.generated_tokens, 12);
        ExpectUsage(fixture, request, answer);
      }
    }
  }
}

TEST(TokenHealing, D23_TheLimitCountsTheAnswerAlone) {
  const Healing fixture;
  GenerateRequest request = Raw(Text().substr(0, 10));  // within the second word
  request.max_tokens = 1;
  const GenerateResult answer = fixture.Answer(request);
  EXPECT_EQ(Text().substr(0, 10) + answer.text, Text().substr(0, 17));  // one token more
  EXPECT_EQ(answer.ids.size(), 1u);
  EXPECT_EQ(answer.finish_reason, FinishReason::kLength);
}

TEST(TokenHealing, D23_NothingChangesWhereNoTokenIsLonger) {
  const EngineFixture plain;  // single characters
  for (const char* text : {"x", "Hello there", "a b "}) {
    GenerateRequest request = Greedy(text);
    request.max_tokens = 20;
    Session session(plain.engine);
    const auto before = session.Generate(request);
    std::get<RawText>(request.prompt).heal = true;
    const auto after = session.Generate(request);
    ASSERT_TRUE(before.ok() && after.ok());
    EXPECT_EQ(before->ids, after->ids);
    EXPECT_EQ(before->text, after->text);
    EXPECT_EQ(before->usage.prompt_tokens, after->usage.prompt_tokens);
  }
  // And of a longer vocabulary only what may be longer is taken back.
  const Healing fixture;
  const TokenTrie trie(*fixture.tokenizer, FakeModel::kVocabulary, {});
  for (const auto& [text, owed] : {std::pair("ab hello", ""), {"ab hell", " hell"}, {"ab{", "{"}}) {
    PreparedPrompt prompt;
    prompt.ids = *fixture.tokenizer->Encode(text, AddedTokenUse::kNone);
    const auto whole = prompt.ids;
    prompt.open = {.text = text, .ids_end = prompt.ids.size()};
    HealPrompt(trie, &prompt);
    EXPECT_EQ(prompt.owed.bytes, owed);
    prompt.ids.insert(prompt.ids.end(), prompt.owed.ids.begin(), prompt.owed.ids.end());
    EXPECT_EQ(prompt.ids, whole);
  }
}

// The text that was begun belongs to the form, and the form goes on behind it.
TEST(TokenHealing, D23_FormsGoOnBehindWhatWasBegun) {
  const std::string form(kForm);
  for (const std::string& written : {form, std::string()}) {
    const Healing fixture(written);
    for (std::size_t cut = 1; cut < form.size(); ++cut) {
      GenerateRequest request = Prefill(form.substr(0, cut));
      request.form = AnswerForm::kSchema;
      request.schema = R"({"type":"object","properties":{"ab":{"const":1}},"required":["ab"]})";
      std::string answer = form.substr(0, cut) + fixture.Answer(request).text;
      std::erase_if(answer, [](unsigned char c) { return std::isspace(c) != 0; });
      EXPECT_EQ(answer, form) << cut;
    }
  }
}

TEST(TokenHealing, D23_SameTokensBesideOthersWithACacheAndWithGuesses) {
  const std::string text = Text();
  const Healing alone(""), shared("", 1 << 20), drafted("", 0, std::make_unique<NgramDraft>());
  std::vector<GenerateRequest> requests;
  for (std::size_t cut = 1; cut < text.size(); cut += 2) {
    for (GenerateRequest request : {Raw(text.substr(0, cut)), Prefill(text.substr(0, cut))}) {
      request.sampling.temperature = 0.8f;
      request.sampling.seed = cut;
      request.max_tokens = 8;
      requests.push_back(request);
    }
  }
  for (int round = 0; round < 2; ++round) {  // the second one finds what the first has left
    std::vector<std::shared_ptr<Channel<GenerateEvent>>> events;
    std::vector<std::shared_ptr<Answer>> answers;
    for (const GenerateRequest& request : requests) {
      events.push_back(std::make_shared<Channel<GenerateEvent>>());
      const auto answer =
          shared.engine->Start(request, [channel = events.back()](const GenerateEvent& event) {
            channel->Push(event);
            return true;
          });
      ASSERT_TRUE(answer.ok()) << answer.status().ToString();
      answers.push_back(*answer);
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
      GenerateResult joined;
      GenerateEvent event;
      while (event.kind != GenerateEvent::Kind::kEnd &&
             event.kind != GenerateEvent::Kind::kFailed) {
        event = events[i]->Pop();
        joined.Add(event);
      }
      const GenerateResult expected = alone.Answer(requests[i]);
      EXPECT_EQ(joined.ids, expected.ids);
      EXPECT_EQ(joined.text, expected.text);
      EXPECT_EQ(answers[i]->prompt_tokens(), expected.usage.prompt_tokens);
      EXPECT_EQ(drafted.Answer(requests[i]).ids, expected.ids);
    }
  }
  EXPECT_GT(shared.engine->counters().prefixes.hit_tokens, 0);
}

TEST(TokenHealing, D23_ProbabilitiesOfThePromptNeedItAsItIs) {
  const Healing fixture;
  GenerateRequest request = Raw("ab");
  request.prompt_log_probabilities = true;
  request.sampling.log_probabilities = 0;
  Session session(fixture.engine);
  EXPECT_EQ(session.Generate(request).status().code(), Code::kUsage);
}

}  // namespace
}  // namespace hadal
