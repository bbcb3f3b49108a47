#include <gtest/gtest.h>

#include <thread>

#include "engine/engine_test_data.h"

namespace hadal {
namespace {

using Fixture = EngineFixture;

TEST(Session, OneProducerTwoSinks) {
  Fixture fixture;
  fixture.Script('?', "Hello world.");
  Session session(fixture.engine);
  GenerateResult joined;
  int ends = 0;
  const auto result = session.Generate(Greedy("Say?"), [&](const GenerateEvent& event) {
    joined.Add(event);
    ends += event.kind == GenerateEvent::Kind::kEnd;
    return true;
  });
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(result->text, "Hello world.");
  EXPECT_EQ(joined.text, result->text);
  EXPECT_EQ(joined.ids, result->ids);
  EXPECT_EQ(result->ids.size(), 13u);  // the ending token is one of them
  EXPECT_EQ(result->ids.back(), 0);
  EXPECT_EQ(result->finish_reason, FinishReason::kStop);
  EXPECT_EQ(result->usage.prompt_tokens, 4);
  EXPECT_EQ(result->usage.generated_tokens, 13);
  EXPECT_FALSE(result->reasoning.has_value());
}

TEST(Session, StopStringsCutTheText) {
  Fixture fixture;
  fixture.Script('?', "one two three");
  Session session(fixture.engine);
  GenerateRequest request = Greedy("Count?");
  request.stops = {" thr"};
  const auto result = session.Generate(request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->text, "one two");
  EXPECT_EQ(result->finish_reason, FinishReason::kStop);
  EXPECT_EQ(result->ids.size(), 11u);
}

TEST(Session, StopsAtItsBoundAndAtStopTokens) {
  Fixture fixture;
  fixture.Script('?', "abcdef");
  Session session(fixture.engine);
  GenerateRequest request = Greedy("?");
  request.max_tokens = 3;
  auto result = session.Generate(request);
  EXPECT_EQ(result->text, "abc");
  EXPECT_EQ(result->finish_reason, FinishReason::kLength);
  request.max_tokens = 0;
  request.stop_tokens = {Id('e')};
  result = session.Generate(request);
  EXPECT_EQ(result->text, "abcd");
  EXPECT_EQ(result->finish_reason, FinishReason::kStop);
  request.stop_tokens = {};
  request.ignore_end = true;
  request.max_tokens = 9;
  result = session.Generate(request);
  EXPECT_EQ(result->text, "abcdef<|end|><|end|><|end|>");
  EXPECT_EQ(result->finish_reason, FinishReason::kLength);
}

TEST(Session, HalfCharactersAreHeldBack) {
  Fixture fixture;
  fixture.model->script = [](const std::vector<std::int32_t>& tokens) -> std::int32_t {
    return tokens.size() < 4 ? 96 : 0;
  };
  Session session(fixture.engine);
  const auto result = session.Generate(Greedy("a"));
  EXPECT_EQ(result->text, "\uFFFD\uFFFD\uFFFD");
}

TEST(Session, ContextOverflowIsSaidBeforeAnyWork) {
  Fixture fixture(true, "", 50);
  Session session(fixture.engine);
  GenerateRequest request = Greedy(std::string(50, 'x'));
  EXPECT_EQ(session.Generate(request).status().code(), Code::kUsage);
  request = Greedy(std::string(40, 'x'));
  request.max_tokens = 11;
  const Status status = session.Generate(request).status();
  EXPECT_EQ(status.code(), Code::kUsage);
  EXPECT_NE(status.ToString().find("40 tokens of prompt"), std::string::npos) << status.ToString();
  EXPECT_EQ(fixture.model->steps, 0);
  request.max_tokens = 10;
  EXPECT_EQ(session.Generate(request)->ids.size(), 10u);
  request.max_tokens = 0;  // to the end of the context, and said so
  request.ignore_end = true;
  const auto full = session.Generate(request);
  EXPECT_EQ(full->ids.size(), 10u);
  EXPECT_EQ(full->finish_reason, FinishReason::kLength);
}

TEST(Session, LackOfMemoryIsSaidBeforeAnyWork) {
  auto owned = std::make_unique<FakeModel>(ModelOptions{});
  FakeModel* model = owned.get();
  model->bytes_per_token = 0x1p42;
  const auto engine = MakeEngine(std::move(owned), {}, {});
  Session session(engine);
  GenerateRequest request;
  request.prompt = TokenIds{{5, 6}};
  const Status status = session.Generate(request).status();
  EXPECT_EQ(status.code(), Code::kNoRoom) << status.ToString();
  EXPECT_EQ(status.ExitCode(), 4);
  EXPECT_EQ(model->steps, 0);
}

TEST(Session, KeepsWhatItKnowsOfTheLastTurn) {
  Fixture fixture;
  fixture.Script('?', "Yes.");
  Session session(fixture.engine);
  const auto first = session.Generate(Greedy("Is it so?"));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->usage.cached_tokens, 0);
  const auto second = session.Generate(Greedy("Is it so?Yes. And then?"));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->usage.cached_tokens, 13);
  session.Reset();
  EXPECT_EQ(session.Generate(Greedy("Is it so?"))->usage.cached_tokens, 0);
}

TEST(Session, CancelsAndGoesOn) {
  Fixture fixture;
  Session session(fixture.engine);
  GenerateRequest request = Greedy("x");
  request.ignore_end = true;
  int seen = 0;
  const auto result = session.Generate(request, [&seen](const GenerateEvent& event) {
    seen += event.kind == GenerateEvent::Kind::kToken;
    return seen < 5;
  });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->finish_reason, FinishReason::kCancelled);
  EXPECT_GE(result->ids.size(), 5u);
  request.max_tokens = 3;
  EXPECT_EQ(session.Generate(request)->finish_reason, FinishReason::kLength);
}

TEST(Session, BrokenLogitsFailTheRequestAlone) {
  Fixture fixture;
  Session session(fixture.engine);
  fixture.model->script = [](const std::vector<std::int32_t>& tokens) -> std::int32_t {
    return tokens.size() < 6 ? Id('a') : -1;
  };
  EXPECT_EQ(session.Generate(Greedy("abc")).status().code(), Code::kFailed);
  fixture.Script('c', "fine");
  const auto result = session.Generate(Greedy("abc"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->text, "fine");
  EXPECT_EQ(result->usage.cached_tokens, 0);
}

// Sessions in threads of their own, at temperature 0.9: everyone gets what it gets alone.
TEST(Session, CompanyDoesNotChangeTokens) {
  Fixture fixture;
  const auto run = [&fixture](std::uint64_t seed) {
    Session session(fixture.engine);
    GenerateRequest request;
    request.prompt = TokenIds{std::vector<std::int32_t>(1 + (seed * 37) % 200, 7)};
    request.sampling.temperature = 0.9f;
    request.sampling.seed = seed;
    request.ignore_end = true;
    request.max_tokens = 40;
    return session.Generate(request)->ids;
  };
  std::vector<std::vector<std::int32_t>> alone(8), together(8);
  for (std::uint64_t i = 0; i < alone.size(); ++i) alone[i] = run(i);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < alone.size(); ++i)
    threads.emplace_back([&, i] { together[i] = run(i); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(alone, together);
  EXPECT_NE(alone[0], alone[1]);
}

TEST(Session, IdsWorkWithoutATokenizer) {
  Fixture fixture(false);
  Session session(fixture.engine);
  GenerateRequest request;
  request.prompt = TokenIds{{5, 6}};
  request.sampling.temperature = 0;
  request.max_tokens = 4;
  request.sampling.log_probabilities = 2;
  const auto result = session.Generate(request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->ids, FakeModel::Greedy({5, 6}, 4));
  EXPECT_EQ(result->text, "");
  ASSERT_EQ(result->log_probabilities.size(), 4u);
  EXPECT_EQ(result->log_probabilities[0].top.size(), 2u);
  EXPECT_EQ(result->log_probabilities[0].top[0].token, result->ids[0]);

  request.stops = {"x"};
  EXPECT_EQ(session.Generate(request).status().code(), Code::kUsage);
  EXPECT_EQ(session.Generate(Greedy("text")).status().code(), Code::kUnusable);
  request.stops = {};
  request.prompt = TokenIds{{5, 97}};
  EXPECT_EQ(session.Generate(request).status().code(), Code::kUsage);
  request.prompt = TokenIds{};
  EXPECT_EQ(session.Generate(request).status().code(), Code::kUsage);
}

// What a token was given is what it would have been chosen with, and the answer stays the same.
TEST(Session, TellsTheLogProbabilitiesOfThePrompt) {
  Fixture fixture(false);
  GenerateRequest request;
  request.prompt = TokenIds{{5}};
  request.sampling.temperature = 0;
  request.sampling.log_probabilities = 1;
  request.max_tokens = 6;
  const auto free = *Session(fixture.engine).Generate(request);
  request.prompt = TokenIds{{5, free.ids[0], free.ids[1], free.ids[2]}};
  request.max_tokens = 3;
  request.prompt_log_probabilities = true;
  std::vector<std::int32_t> prompt;
  std::vector<std::optional<float>> known;
  const auto given = *Session(fixture.engine).Generate(request, [&](const GenerateEvent& event) {
    if (event.kind != GenerateEvent::Kind::kPrompt) return true;
    prompt.push_back(event.token);
    known.push_back(event.log_probability);
    return true;
  });
  EXPECT_EQ(prompt, std::get<TokenIds>(request.prompt).ids);
  EXPECT_FALSE(known[0]);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(known[i + 1], free.log_probabilities[i].log_probability);
  EXPECT_EQ(given.ids, std::vector<std::int32_t>(free.ids.begin() + 3, free.ids.end()));
  EXPECT_EQ(given.usage.prompt_tokens, 4);
  EXPECT_EQ(given.usage.generated_tokens, 3);
}

TEST(Session, ChatNeedsAFormatAndRawDoesNot) {
  Fixture fixture;
  fixture.Script('?', "ok");
  Session session(fixture.engine);
  GenerateRequest request;
  request.prompt = Chat{.messages = {{.role = "user", .text = "hi"}}};
  const Status status = session.Generate(request).status();
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_NE(status.hint().find("--raw"), std::string::npos);
  EXPECT_EQ(session.Generate(Greedy("hi?"))->text, "ok");
}

TEST(Session, TextOfMessagesIsNeverASpecialToken) {
  Fixture fixture(true, "qwen2");
  GenerateRequest chat;
  chat.prompt = Chat{.messages = {{.role = "user", .text = "a<|end|>b"}}};
  const auto ids = fixture.engine->Tokenize(chat);
  ASSERT_TRUE(ids.ok()) << ids.status().ToString();
  EXPECT_EQ(std::count(ids->begin(), ids->end(), 0), 0);
  const auto raw = fixture.engine->Tokenize(Greedy("a<|end|>b"));
  EXPECT_EQ(*raw, (std::vector<std::int32_t>{Id('a'), 0, Id('b')}));
}

TEST(Session, GoesOnWithTheLastMessage) {
  Fixture fixture(true, "qwen2");
  Chat chat{.messages = {{.role = "user", .text = "hi"}, {.role = "assistant", .text = "yo"}}};
  const auto tokenize = [&fixture](const Chat& prompt) {
    GenerateRequest request;
    request.prompt = prompt;
    return fixture.engine->Tokenize(request);
  };
  chat.continue_last = true;
  auto continued = *tokenize(chat);
  chat.messages.pop_back();
  EXPECT_EQ(tokenize(chat).status().code(), Code::kUsage) << "a user's message";
  chat.continue_last = false;
  auto opened = *tokenize(chat);
  opened.insert(opened.end(), {Id('y'), Id('o')});
  EXPECT_EQ(continued, opened);
}

TEST(Session, FillsInOnlyWhereTheVocabularyCan) {
  Fixture fixture(true, "qwen2");
  GenerateRequest request;
  request.prompt = FillIn{"a", "b"};
  const Status status = fixture.engine->Tokenize(request).status();
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_EQ(status.where(), "suffix");
}

TEST(Session, ReasoningComesApart) {
  Fixture fixture(true, "r1_distill");
  fixture.model->script = [](const std::vector<std::int32_t>& tokens) -> std::int32_t {
    static const std::string kAnswer = "because</think>yes";
    static const std::size_t kPrompt = tokens.size();
    const std::size_t written = tokens.size() - kPrompt;
    return written < kAnswer.size() ? Id(kAnswer[written]) : 0;
  };
  Session session(fixture.engine);
  GenerateRequest request;
  request.prompt = Chat{.messages = {{.role = "user", .text = "why"}}};
  request.sampling.temperature = 0;
  request.stops = {"cause"};  // counts in the text alone
  const auto result = session.Generate(request);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->reasoning, "because");
  EXPECT_EQ(result->text, "yes");
}

}  // namespace
}  // namespace hadal
