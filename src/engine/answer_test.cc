#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "engine/channel.h"
#include "engine/engine_test_data.h"

namespace hadal {
namespace {

using Fixture = EngineFixture;
using Kind = GenerateEvent::Kind;

// An answer that a test waits for: the sink hands events over, as a server's would.
struct Waiting {
  explicit Waiting(Engine& engine, const GenerateRequest& request) {
    auto started = engine.Start(request, [to = events](const GenerateEvent& event) {
      to->Push(event);
      return true;
    });
    status = started.status();
    if (started.ok()) answer = *std::move(started);
  }
  // Waits for the last event.
  GenerateEvent Last() {
    while (true) {
      const GenerateEvent event = events->Pop();
      joined.Add(event);
      if (event.kind == Kind::kEnd || event.kind == Kind::kFailed) return event;
    }
  }
  std::shared_ptr<Channel<GenerateEvent>> events = std::make_shared<Channel<GenerateEvent>>();
  GenerateResult joined;
  Status status;
  std::shared_ptr<Answer> answer;
};

GenerateRequest Endless() {
  GenerateRequest request = Greedy("x");
  request.ignore_end = true;
  return request;
}

TEST(Answer, GivesWhatASessionGives) {
  Fixture fixture;
  fixture.Script('?', "Hello world.");
  Waiting waiting(*fixture.engine, Greedy("Say?"));
  ASSERT_TRUE(waiting.status.ok());
  EXPECT_EQ(waiting.answer->prompt_tokens(), 4);
  EXPECT_EQ(waiting.Last().finish_reason, FinishReason::kStop);
  Session session(fixture.engine);
  const auto result = session.Generate(Greedy("Say?"));
  EXPECT_EQ(waiting.joined.text, "Hello world.");
  EXPECT_EQ(waiting.joined.ids, result->ids);
  EXPECT_EQ(waiting.joined.usage.generated_tokens, 13);
}

TEST(Answer, WrongRequestsFailBeforeAnyEvent) {
  Fixture fixture(true, "", 50);
  Waiting waiting(*fixture.engine, Greedy(std::string(51, 'x')));
  EXPECT_EQ(waiting.status.code(), Code::kUsage);
  EXPECT_EQ(waiting.answer, nullptr);
}

TEST(Answer, CancelsFromOutsideAndByDestruction) {
  Fixture fixture;
  Waiting first(*fixture.engine, Endless()), second(*fixture.engine, Endless());
  while (first.events->Pop().kind != Kind::kToken) continue;
  first.answer->Cancel();
  EXPECT_EQ(first.Last().finish_reason, FinishReason::kCancelled);
  second.answer.reset();
  EXPECT_EQ(second.Last().finish_reason, FinishReason::kCancelled);
}

TEST(Answer, ASinkThatRefusesOrThrowsEndsItsAnswerAlone) {
  Fixture fixture;
  Channel<FinishReason> ends;
  std::vector<std::shared_ptr<Answer>> answers;
  for (const bool throws : {false, true}) {
    auto answer = fixture.engine->Start(Endless(), [&ends, throws](const GenerateEvent& event) {
      if (event.kind == Kind::kEnd) ends.Push(event.finish_reason);
      if (event.kind == Kind::kToken && throws) throw std::runtime_error("a sink of no use");
      return event.kind != Kind::kToken;
    });
    ASSERT_TRUE(answer.ok());
    answers.push_back(*answer);
  }
  EXPECT_EQ(ends.Pop(), FinishReason::kCancelled);
  EXPECT_EQ(ends.Pop(), FinishReason::kCancelled);
  fixture.Script('?', "fine");
  Waiting later(*fixture.engine, Greedy("?"));
  later.Last();
  EXPECT_EQ(later.joined.text, "fine");
}

TEST(Answer, AFailureIsTheLastEvent) {
  Fixture fixture;
  fixture.model->script = [](const std::vector<std::int32_t>& tokens) -> std::int32_t {
    return tokens.size() < 6 ? Id('a') : -1;
  };
  Waiting waiting(*fixture.engine, Greedy("abc"));
  const GenerateEvent last = waiting.Last();
  ASSERT_EQ(last.kind, Kind::kFailed);
  EXPECT_EQ(last.failure.code(), Code::kFailed);
  EXPECT_EQ(waiting.joined.text, "aaa");
  EXPECT_EQ(last.usage.generated_tokens, 3);
}

TEST(Answer, OutlivesItsEngine) {
  std::unique_ptr<Waiting> waiting;
  {
    Fixture fixture;
    waiting = std::make_unique<Waiting>(*fixture.engine, Endless());
  }
  EXPECT_EQ(waiting->Last().finish_reason, FinishReason::kCancelled);
  waiting->answer->Cancel();
}

TEST(Answer, ManyAtOnceGiveWhatTheyGiveAlone) {
  Fixture fixture(false);
  std::vector<std::unique_ptr<Waiting>> together;
  GenerateRequest request;
  request.sampling.temperature = 0;
  request.max_tokens = 20;
  const auto prompt = [](std::size_t i) {
    return std::vector<std::int32_t>(1 + (i * 37) % 300, static_cast<std::int32_t>(i));
  };
  for (std::size_t i = 0; i < 20; ++i) {
    request.prompt = TokenIds{prompt(i)};
    together.push_back(std::make_unique<Waiting>(*fixture.engine, request));
  }
  for (std::size_t i = 0; i < together.size(); ++i) {
    EXPECT_EQ(together[i]->Last().finish_reason, FinishReason::kLength);
    EXPECT_EQ(together[i]->joined.ids, FakeModel::Greedy(prompt(i), 20)) << i;
  }
}

}  // namespace
}  // namespace hadal
