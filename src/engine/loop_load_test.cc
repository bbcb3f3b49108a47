// Many at once: bounds, places, cancelling at every stage, counters.
#include <gtest/gtest.h>

#include <condition_variable>

#include "engine/engine_test_data.h"
#include "engine/loop_test_data.h"
#include "engine/queue_bound.h"

namespace hadal {
namespace {

using Fixture = LoopFixture;
using Ids = std::vector<std::int32_t>;

// Holds the model before its steps until it is opened. What the loop's thread waits on belongs to
// the model, whose steps may go on when a test has seen enough.
class Gate {
 public:
  explicit Gate(FakeModel* model) {
    model->before_step = [door = door_](const Batch&) {
      std::unique_lock<std::mutex> lock(door->mutex);
      ++door->waited;
      door->changed.notify_all();
      door->changed.wait(lock, [&] { return door->open > 0; });
      if (door->open < kForEver) --door->open;
      return Status();
    };
  }
  // Waits until the loop stands before its next step.
  void WaitForStep(int number) {
    std::unique_lock<std::mutex> lock(door_->mutex);
    door_->changed.wait(lock, [&] { return door_->waited >= number; });
  }
  void Open(int steps = kForEver) {
    const std::lock_guard<std::mutex> lock(door_->mutex);
    door_->open = steps;
    door_->changed.notify_all();
  }

 private:
  static constexpr int kForEver = 1 << 30;
  struct Door {
    std::mutex mutex;
    std::condition_variable changed;
    int waited = 0, open = 0;
  };
  std::shared_ptr<Door> door_ = std::make_shared<Door>();
};

StepLoop::Request Request(Ids prompt, std::int64_t tokens, std::shared_ptr<Collector> task,
                          std::string tenant = "") {
  StepLoop::Request request;
  request.prompt = std::move(prompt);
  request.max_tokens = tokens;
  request.task = std::move(task);
  request.tenant = std::move(tenant);
  return request;
}

TEST(QueueBound, BoundsRequestsAndTokens) {
  QueueBound bound({8, 100});
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(bound.Enter("a", 10).ok());
  EXPECT_EQ(bound.Enter("a", 10).code(), Code::kBusy) << "three quarters of the places";
  EXPECT_TRUE(bound.Enter("b", 30).ok());
  EXPECT_EQ(bound.Enter("b", 11).code(), Code::kBusy) << "tokens";
  EXPECT_TRUE(bound.Enter("b", 10).ok());
  EXPECT_EQ(bound.Enter("c", 0).code(), Code::kBusy) << "places";
  bound.Leave("a", 10);
  EXPECT_TRUE(bound.Enter("c", 0).ok());
  EXPECT_EQ(bound.load().requests, 8);
  EXPECT_EQ(bound.load().tokens, 90);
  EXPECT_EQ(bound.load().refused, 3);
  QueueBound few({0, 100});
  EXPECT_TRUE(few.Enter("a", 5000).ok()) << "an empty queue takes what fits the context";
}

TEST(Load, RefusesWhatTheQueueCannotHold) {
  StepLoopOptions options;
  options.queue.requests = 4;
  Fixture fixture(64, 0, FakeModel::Kind::kPlain, options);
  Gate gate(fixture.model);
  std::vector<std::shared_ptr<Collector>> tasks;
  const auto ask = [&](const std::string& tenant) {
    tasks.push_back(std::make_shared<Collector>());
    return fixture.loop->Submit(Request({1, 2}, 3, tasks.back(), tenant));
  };
  EXPECT_TRUE(ask("a").ok());
  gate.WaitForStep(1);  // it has its place and waits no more
  for (const char* tenant : {"a", "a", "a", "b"}) EXPECT_TRUE(ask(tenant).ok());
  EXPECT_EQ(ask("b").code(), Code::kBusy);
  tasks.pop_back();
  gate.Open();
  for (const auto& task : tasks) EXPECT_TRUE(task->end.Pop().ok());
  const EngineCounters counters = fixture.loop->counters();
  EXPECT_EQ(counters.accepted_requests, 5);
  EXPECT_EQ(counters.refused_requests, 1);
  EXPECT_EQ(counters.ended, 5);
  EXPECT_EQ(counters.waiting + counters.running, 0);
  EXPECT_TRUE(counters.tenants.empty());
}

// D-16: given up while it waits, in the middle of its prompt, and while it answers.
TEST(Load, CancelsWithinAStepAtEveryStage) {
  Fixture fixture(8);
  Gate gate(fixture.model);
  std::vector<std::shared_ptr<Collector>> tasks;
  // Eight places: the first answers, the second reads a prompt of many steps, the last waits.
  for (int i = 0; i < 9; ++i) {
    tasks.push_back(std::make_shared<Collector>());
    Ids prompt = i == 1 ? RandomPrompt(1, 500) : Ids{static_cast<std::int32_t>(i)};
    ASSERT_TRUE(fixture.loop->Submit(Request(std::move(prompt), 1 << 18, tasks.back())).ok());
  }
  gate.WaitForStep(1);
  gate.Open(4);
  gate.WaitForStep(5);
  for (const std::size_t stage : {0, 1, 8}) tasks[stage]->given_up = true;
  const int before = fixture.model->steps;
  gate.Open(1);  // the step that stands at the gate; the next one is without them
  gate.WaitForStep(6);
  EXPECT_EQ(fixture.model->steps, before + 1);
  for (const std::size_t stage : {0, 1, 8})
    EXPECT_EQ(tasks[stage]->end.Pop().code(), Code::kCancelled) << stage;
  EXPECT_EQ(tasks[1]->chosen(), 0);
  EXPECT_EQ(tasks[8]->first_known, -1) << "it never began";
  const EngineCounters counters = fixture.loop->counters();
  EXPECT_EQ(counters.cancelled, 3);
  EXPECT_EQ(counters.running, 6);
  EXPECT_EQ(counters.waiting, 0);
  for (const auto& task : tasks) task->given_up = true;
  gate.Open();
  for (const std::size_t i : {2, 3, 4, 5, 6, 7})
    EXPECT_EQ(tasks[i]->end.Pop().code(), Code::kCancelled);
}

// 2,000 requests that are given up at random moments leave nothing behind.
TEST(Load, NothingIsLeftOfThoseThatWereGivenUp) {
  StepLoopOptions options;
  options.prefixes.memory_bytes = 1 << 16;
  Fixture fixture(64, 200, FakeModel::Kind::kPlain, options);
  Random random(5);
  std::vector<std::shared_ptr<Collector>> tasks;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    auto task = std::make_shared<Collector>();
    task->cancel_after = static_cast<int>(random.Below(12));
    tasks.push_back(task);
    ASSERT_TRUE(fixture.loop
                    ->Submit(Request(RandomPrompt(i % 7, 1 + random.Below(120)), 10, task,
                                     std::to_string(i % 5)))
                    .ok());
    if (random.Below(3) == 0) tasks[random.Below(tasks.size())]->given_up = true;
  }
  for (const auto& task : tasks) {
    const Code code = task->end.Pop().code();
    EXPECT_TRUE(code == Code::kOk || code == Code::kCancelled);
  }
  const EngineCounters counters = fixture.loop->counters();
  EXPECT_EQ(counters.ended + counters.cancelled, 2000);
  EXPECT_EQ(counters.running + counters.waiting, 0);
  EXPECT_EQ(counters.cache_used_bytes, counters.prefixes.held_bytes) << "pages beside the prefixes";
}

// Tenants with 40 and with 2 requests: the second is not behind the first one's.
// Notes how many had ended when it did, on the loop's thread, which goes on before a test looks.
class LateComer : public Collector {
 public:
  explicit LateComer(const StepLoop* loop) : loop_(loop) {}
  void End(const Status& status) override {
    ended_with_it = loop_->counters().ended;
    Collector::End(status);
  }
  std::int64_t ended_with_it = 0;

 private:
  const StepLoop* loop_;
};

TEST(Load, AFloodOfOneTenantDoesNotDelayAnother) {
  Fixture fixture(8);
  Gate gate(fixture.model);
  std::vector<std::shared_ptr<Collector>> flood;
  for (int i = 0; i < 40; ++i) {
    flood.push_back(std::make_shared<Collector>());
    ASSERT_TRUE(fixture.loop->Submit(Request({1, 2}, 200, flood.back(), "flood")).ok());
  }
  // The first step may have begun before all of them were there; the second one has every place
  // taken, so that the other tenant needs one of theirs.
  gate.WaitForStep(1);
  gate.Open(1);
  gate.WaitForStep(2);
  auto other = std::make_shared<LateComer>(fixture.loop.get());
  ASSERT_TRUE(fixture.loop->Submit(Request({3, 4}, 20, other, "other")).ok());
  gate.Open();
  ASSERT_TRUE(other->end.Pop().ok());
  EXPECT_LT(other->ended_with_it, 2) << "it did not wait for an answer of the flood";
  EXPECT_GT(fixture.loop->counters().set_aside, 0);
  for (const auto& task : flood) {
    ASSERT_TRUE(task->end.Pop().ok());
    EXPECT_EQ(task->tokens, FakeModel::Greedy({1, 2}, 200)) << "who stepped aside lost nothing";
  }
}

TEST(Load, CountsRowsOfExpertsWhereItIsAskedTo) {
  Fixture fixture;
  ASSERT_TRUE(fixture.Ask({1, 2, 3}, 1)->end.Pop().ok());
  EXPECT_TRUE(fixture.loop->counters().expert_rows.empty());
  fixture.loop->CountExperts(true);
  ASSERT_TRUE(fixture.Ask({5, 5, 6}, 1)->end.Pop().ok());
  const auto rows = fixture.loop->counters().expert_rows;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[0].empty());
  EXPECT_EQ(rows[1], (std::vector<std::int64_t>{0, 2, 1, 0, 1, 0, 2}));
}

TEST(Load, TellsSinceWhenAStepRuns) {
  Fixture fixture;
  Gate gate(fixture.model);
  auto task = fixture.Ask({1}, 2);
  gate.WaitForStep(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_GE(fixture.loop->counters().step_running_seconds, 0.004);
  gate.Open();
  ASSERT_TRUE(task->end.Pop().ok());
}

TEST(Deadline, EndsWhatTookTooLong) {
  EngineFixture fixture;
  fixture.model->before_step = [](const Batch&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return Status();
  };
  GenerateRequest request = Greedy("x");
  request.ignore_end = true;
  request.total_seconds = 0.05;
  Session session(fixture.engine);
  EXPECT_EQ(session.Generate(request).status().code(), Code::kDeadline);
  EXPECT_EQ(fixture.engine->counters().late, 1);
  request.total_seconds = 0.0;
  request.first_token_seconds = 60.0;
  request.max_tokens = 3;
  EXPECT_TRUE(session.Generate(request).ok());
  request.first_token_seconds = -1.0;
  EXPECT_EQ(session.Generate(request).status().code(), Code::kUsage);
}

TEST(Deadline, CountsTheTimeInTheQueue) {
  Channel<Status> ends;  // outlives the loop, which may still end the first answer
  EngineFixture fixture;
  Gate gate(fixture.model);
  GenerateRequest request = Greedy("x");
  request.first_token_seconds = 0.02;
  auto answer = fixture.engine->Start(request, [&ends](const GenerateEvent& event) {
    if (event.kind == GenerateEvent::Kind::kFailed) ends.Push(event.failure);
    return true;
  });
  ASSERT_TRUE(answer.ok());
  gate.WaitForStep(1);
  auto second = fixture.engine->Start(request, [&ends](const GenerateEvent& event) {
    if (event.kind == GenerateEvent::Kind::kFailed) ends.Push(event.failure);
    return true;
  });
  ASSERT_TRUE(second.ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  gate.Open();
  EXPECT_EQ(ends.Pop().code(), Code::kDeadline)
      << "the second; the first has its token in time or not";
}

}  // namespace
}  // namespace hadal
