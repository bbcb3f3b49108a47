#include "serve/generation.h"

#include <gtest/gtest.h>

#include "engine/engine_test_data.h"
#include "serve/fake_exchange.h"
#include "serve/service.h"

namespace hadal {
namespace {

// One producer for the tests: the text of each answer, as lines "index:text".
struct Line {
  int answer = 0;
  std::string text;
};

class LineWriter : public AnswerWriter {
 public:
  explicit LineWriter(std::shared_ptr<Exchange> exchange)
      : sink_(std::move(exchange),
              {.content_type = "text/plain",
               .end = "end\n",
               .failure = [](const ApiError& e) { return e.code + "\n"; }},
              [](const Line& line) {
                return line.text.empty() ? ""
                                         : std::to_string(line.answer) + ":" + line.text + "\n";
              }) {}
  void Begin(const AnswerStart&) override {}
  void Event(int answer, const GenerateEvent& event) override { sink_.Put({answer, event.text}); }
  void End(const AnswerEnd& end) override {
    sink_.Put({-1, std::to_string(end.usage.prompt_tokens) + "+" +
                       std::to_string(end.usage.generated_tokens)});
    sink_.Close();
  }
  void Fail(const ApiError& error) override { sink_.Fail(error); }

 private:
  StreamSink<Line> sink_;
};

class Watcher : public CallObserver {
 public:
  void Ended(const CallRecord& record) override { records.push_back(record); }
  std::vector<CallRecord> records;
};

struct Desk {
  explicit Desk(ServiceLimits limits = {}) : service(std::make_shared<Service>(limits)) {
    service->models().AddPinned({.name = "fake", .engine = fixture.engine});
    service->AddObserver(std::static_pointer_cast<CallObserver>(watcher));
  }
  void Run(Call call) {
    auto model = service->models().Take("fake", std::nullopt, nullptr);
    RunCall(service, **model.now, std::move(call), exchange,
            std::make_unique<LineWriter>(exchange));
  }
  EngineFixture fixture;
  std::shared_ptr<Service> service;
  std::shared_ptr<Watcher> watcher = std::make_shared<Watcher>();
  std::shared_ptr<FakeExchange> exchange = std::make_shared<FakeExchange>();
};

Call CallOf(std::string prompt) {
  Call call;
  call.request = Greedy(std::move(prompt));
  return call;
}

TEST(Generation, StreamsEventsAndEnds) {
  Desk setup;
  setup.fixture.Script('?', "ab");
  setup.Run(CallOf("Say?"));
  ASSERT_TRUE(setup.exchange->Wait());
  EXPECT_EQ(setup.exchange->sent().body, "0:a\n0:b\n-1:4+3\nend\n");
  ASSERT_EQ(setup.watcher->records.size(), 1u);
  const CallRecord& record = setup.watcher->records[0];
  EXPECT_EQ(record.model, "fake");
  EXPECT_EQ(record.usage.generated_tokens, 3);
  EXPECT_GE(record.first_token_seconds, 0);
  EXPECT_EQ(setup.service->admission().calls(), 0);
}

TEST(Generation, ChoicesOfSeveralPromptsCountEachPromptOnce) {
  Desk setup;
  setup.fixture.Script('?', "x");
  Call call = CallOf("");
  call.prompts = {RawText{"a?"}, RawText{"bcd?"}};
  call.choices = 2;
  setup.Run(std::move(call));
  ASSERT_TRUE(setup.exchange->Wait());
  const std::string& body = setup.exchange->sent().body;
  for (const char* part : {"0:x\n", "1:x\n", "2:x\n", "3:x\n", "-1:6+8\n"})
    EXPECT_NE(body.find(part), body.npos) << part << body;
}

TEST(Generation, SaysWhatIsWrongBeforeItStreams) {
  Desk empty;
  empty.Run(CallOf(""));
  ASSERT_TRUE(empty.exchange->Wait());
  EXPECT_EQ(empty.exchange->sent().status, 400);
  EXPECT_EQ(empty.watcher->records.size(), 1u);
  Desk full({.admission = {.most_calls = 0}});
  full.Run(CallOf("Say?"));
  EXPECT_EQ(full.exchange->sent().status, 429);
  EXPECT_TRUE(full.exchange->sent().headers.Has("retry-after"));
}

TEST(Generation, AClientThatLeavesCancels) {
  Desk setup;
  setup.fixture.Script('?', std::string(3000, 'a'));
  setup.Run(CallOf("Say?"));
  setup.exchange->Post([&] { setup.exchange->Leave(); });
  for (int i = 0; i < 500 && setup.watcher->records.empty(); ++i) setup.exchange->Wait(0.02);
  ASSERT_EQ(setup.watcher->records.size(), 1u);
  EXPECT_TRUE(setup.watcher->records[0].cancelled);
  EXPECT_LT(setup.watcher->records[0].usage.generated_tokens, 3000);
  EXPECT_EQ(setup.service->admission().calls(), 0);
}

TEST(Generation, EndsInTimeAsIfLongEnough) {
  Desk setup;
  setup.fixture.Script('?', std::string(3000, 'a'));
  setup.Run(CallOf("Say?"));
  ASSERT_EQ(setup.exchange->timers().size(), 3u);
  setup.exchange->timers()[2].second();  // total_seconds
  ASSERT_TRUE(setup.exchange->Wait());
  ASSERT_EQ(setup.watcher->records.size(), 1u);
  EXPECT_FALSE(setup.watcher->records[0].failed);
}

TEST(Generation, AServerThatEndsEndsItsCalls) {
  Desk setup;
  setup.fixture.Script('?', std::string(3000, 'a'));
  setup.Run(CallOf("Say?"));
  setup.service->AbortRunning();
  ASSERT_TRUE(setup.exchange->Wait());
  const std::string& body = setup.exchange->sent().body;
  EXPECT_NE(body.find("shutting_down"), body.npos) << body;
}

}  // namespace
}  // namespace hadal
