#include "serve/model_pool.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/random.h"
#include "serve/model_pool_test_data.h"

namespace hadal {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kPatience{120};

// One that waits for a model; what it got.
class Waiter {
 public:
  Waiter(ModelPool* pool, const std::string& name, std::optional<KeepAlive> keep_alive = {}) {
    auto taken = pool->Take(name, keep_alive, [promise = promise_](ApiResult<ServedModel> result) {
      promise->set_value(std::move(result));
    });
    waiting = taken.waiting;
    at_once = taken.now.has_value();
    if (taken.now) promise_->set_value(*std::move(taken.now));
  }
  ApiResult<ServedModel> Get() {
    if (future_.wait_for(kPatience) != std::future_status::ready)
      return ApiError{.message = "nothing came", .code = "nothing"};
    return future_.get();
  }
  bool called() { return future_.wait_for(0s) == std::future_status::ready; }

  std::uint64_t waiting = 0;
  bool at_once = false;

 private:
  // May be called while this goes.
  std::shared_ptr<std::promise<ApiResult<ServedModel>>> promise_ =
      std::make_shared<std::promise<ApiResult<ServedModel>>>();
  std::future<ApiResult<ServedModel>> future_ = promise_->get_future();
};

// What a model answers to "Hi?".
std::string Ask(const std::shared_ptr<Engine>& engine) {
  Session session(engine);
  const auto answer = session.Generate(Greedy("Hi?"));
  return answer.ok() ? answer->text : answer.status().ToString();
}

struct PoolTest : testing::Test {
  void Make(ModelPoolOptions options) { pool = std::make_unique<ModelPool>(std::move(options)); }
  ModelPoolOptions Options() { return FakePoolOptions(opener, clock); }
  ServedModel Take(const std::string& name, std::optional<KeepAlive> keep_alive = {}) {
    auto model = Waiter(pool.get(), name, keep_alive).Get();
    EXPECT_TRUE(model.ok()) << model.error().message;
    return model.ok() ? *std::move(model) : ServedModel{};
  }
  void Pass(std::chrono::nanoseconds span) {
    clock->Advance(span);
    pool->Wake();
    Settle();
  }
  void Settle() { ASSERT_TRUE(pool->Settle(kPatience)); }
  std::vector<std::string> Loaded() {
    std::vector<std::string> names;
    for (const ModelPool::Row& row : pool->LoadedRows()) names.push_back(row.name);
    return names;
  }
  using Names = std::vector<std::string>;

  ModelHome home;
  std::shared_ptr<FakeOpener> opener = std::make_shared<FakeOpener>();
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  std::unique_ptr<ModelPool> pool = std::make_unique<ModelPool>(Options());
};

TEST_F(PoolTest, D30_LoadsOnceForAllThatWaitAndHoldsUpNobodyElse) {
  EngineFixture pinned;
  pool->AddPinned({.name = "pinned", .engine = pinned.engine});
  opener->Hold();
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (int i = 0; i < 5; ++i) waiters.push_back(std::make_unique<Waiter>(pool.get(), "a"));
  opener->AwaitOpened(1);
  for (int i = 0; i < 5; ++i) waiters.push_back(std::make_unique<Waiter>(pool.get(), "a:latest"));
  EXPECT_TRUE(Waiter(pool.get(), "pinned").at_once);
  EXPECT_TRUE(Waiter(pool.get(), "").at_once) << "the default one";
  EXPECT_EQ(pool->counts().waiting, 10);
  for (const auto& waiter : waiters) EXPECT_FALSE(waiter->called());
  opener->Let();
  std::set<Engine*> engines;
  for (const auto& waiter : waiters) {
    auto model = waiter->Get();
    ASSERT_TRUE(model.ok());
    EXPECT_EQ(model->name, "a");
    engines.insert(model->engine.get());
  }
  EXPECT_EQ(engines.size(), 1u);
  EXPECT_EQ(opener->opened(), Names{"a"});
  EXPECT_EQ(pool->counts().loads, 1);
  EXPECT_EQ(pool->counts().waiting, 0);
}

TEST_F(PoolTest, D30_WhoLeavesIsNotCalledAndLoadsNothing) {
  opener->Hold();
  Waiter first(pool.get(), "a"), left(pool.get(), "b"), stays(pool.get(), "c"),
      other(pool.get(), "c");
  opener->AwaitOpened(1);
  for (const Waiter* waiter : {&first, &left, &other}) pool->Cancel(waiter->waiting);
  pool->Cancel(12345);
  opener->Let();
  EXPECT_TRUE(stays.Get().ok());
  Settle();
  EXPECT_FALSE(first.called() || left.called() || other.called());
  EXPECT_EQ(opener->opened(), (Names{"a", "c"})) << "what had begun is there, b was never begun";
  EXPECT_EQ(Loaded(), (Names{"a", "c"}));
}

TEST_F(PoolTest, D30_MostMayWait) {
  auto options = Options();
  options.most_waiting = 2;
  Make(options);
  opener->Hold();
  Waiter first(pool.get(), "a"), second(pool.get(), "b"), third(pool.get(), "a");
  EXPECT_TRUE(third.at_once);
  const auto refused = third.Get();
  EXPECT_EQ(refused.error().code, "queue_full");
  EXPECT_GT(refused.error().retry_after_seconds, 0);
  opener->Let();
  EXPECT_TRUE(first.Get().ok());
  EXPECT_TRUE(second.Get().ok());
}

TEST_F(PoolTest, KeepAliveCountsFromTheLastAnswer) {
  ServedModel model = Take("a");
  EXPECT_EQ(pool->LoadedRows().at(0).expires_in, 5min);
  Pass(1h);
  EXPECT_EQ(Loaded(), Names{"a"}) << "in use";
  EXPECT_EQ(pool->LoadedRows().at(0).expires_in, 5min);
  model = {};
  Pass(4min);
  EXPECT_EQ(Loaded(), Names{"a"});
  EXPECT_EQ(pool->LoadedRows().at(0).expires_in, 1min);
  EXPECT_EQ(Ask(Take("a").engine), "I am a.");
  Pass(299s);
  EXPECT_EQ(Loaded(), Names{"a"}) << "it was asked again";
  Pass(1s);
  EXPECT_EQ(Loaded(), Names{});
  EXPECT_EQ(opener->living(), 0);
  EXPECT_EQ(pool->counts().unloads, 1);
  EXPECT_EQ(Ask(Take("a").engine), "I am a.") << "and it comes back";
  EXPECT_EQ(pool->counts().loads, 2);
}

TEST_F(PoolTest, KeepAliveIsTheLastRequests) {
  Take("a", kKeepForever);
  Pass(10000h);
  EXPECT_EQ(pool->LoadedRows().at(0).expires_in, kKeepForever);
  Take("a", 300ms);
  Pass(299ms);
  EXPECT_EQ(Loaded(), Names{"a"});
  Pass(1ms);
  EXPECT_EQ(Loaded(), Names{});
  ServedModel busy = Take("b");
  Take("b", KeepAlive(0));
  Settle();
  EXPECT_EQ(Loaded(), Names{"b"}) << "somebody else uses it";
  busy = {};
  Settle();
  EXPECT_EQ(Loaded(), Names{});
  EXPECT_EQ(opener->living(), 0);
}

TEST_F(PoolTest, UnloadsWhenTheLastAnswerHasEnded) {
  ServedModel model = Take("a");
  EXPECT_TRUE(pool->Unload("a"));
  EXPECT_FALSE(pool->Unload("b"));
  Settle();
  EXPECT_EQ(Ask(model.engine), "I am a.");
  model = {};
  Settle();
  EXPECT_EQ(opener->living(), 0);
  Take("a");
  EXPECT_TRUE(pool->Unload("a:latest"));
  EXPECT_EQ(Loaded(), Names{}) << "at once";
  opener->Hold();
  Waiter waiter(pool.get(), "b");
  pool->Unload("b");
  opener->Let();
  EXPECT_EQ(Ask(waiter.Get()->engine), "I am b.") << "who waits is served first";
  Settle();
  EXPECT_EQ(opener->living(), 0);
}

TEST_F(PoolTest, PinnedModelsGoOnlyWhenToldTo) {
  home.Write("pinned");
  EngineFixture fixture;
  pool->AddPinned({.name = "pinned", .engine = std::move(fixture.engine)});
  Take("pinned", 1s);
  Pass(10000h);
  EXPECT_EQ(Loaded(), Names{"pinned"});
  EXPECT_TRUE(pool->Unload("pinned"));
  Settle();
  EXPECT_EQ(Loaded(), Names{});
  const auto row = pool->Rows().at(0);
  EXPECT_TRUE(row.pinned && row.engine == nullptr);
  EXPECT_EQ(Take("").name, "pinned") << "loaded again by whoever asks";
  Pass(10000h);
  EXPECT_EQ(Loaded(), Names{"pinned"});
}

TEST_F(PoolTest, MakesRoomByLeastRecentUse) {
  auto options = Options();
  options.memory_bytes = 2 * FakeOpener::kModelBytes + 100;
  Make(options);
  Take("a", kKeepForever);
  clock->Advance(1s);
  Take("b");
  clock->Advance(1s);
  Take("a");
  clock->Advance(1s);
  Take("c");
  EXPECT_EQ(Loaded(), (Names{"a", "c"}));
  EXPECT_EQ(opener->living(), 2);
}

TEST_F(PoolTest, D10_RefusesWhatDoesNotFitAndSaysHowMuch) {
  EngineFixture fixture;
  auto options = Options();
  options.memory_bytes = 2 * FakeOpener::kModelBytes + 100;
  Make(options);
  pool->AddPinned({.name = "pinned", .engine = fixture.engine});
  ServedModel a = Take("a"), b = Take("b");
  const auto refused = Waiter(pool.get(), "c").Get();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(HttpStatusOf(refused.error().kind, Dialect::kOpenAi), 503);
  EXPECT_GT(refused.error().retry_after_seconds, 0);
  for (const char* part : {"model 'c'", "found ", "expected ", "--memory-mb"})
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
  EXPECT_EQ(Loaded(), (Names{"a", "b", "pinned"})) << "nothing went in vain";
  a = {};
  EXPECT_EQ(Ask(Take("c").engine), "I am c.");
  EXPECT_EQ(Loaded(), (Names{"b", "c", "pinned"}));
}

TEST_F(PoolTest, D29_WhatIsInUseOutlivesItsNameAndItsFiles) {
  ServedModel model = Take("a");
  home.Remove("a");
  pool->Forget("a");
  EXPECT_EQ(Waiter(pool.get(), "a").Get().error().code, "model_not_found");
  EXPECT_EQ(Loaded(), Names{});
  EXPECT_EQ(Ask(model.engine), "I am a.");
  EXPECT_EQ(opener->living(), 1);
  model = {};
  Settle();
  EXPECT_EQ(opener->living(), 0);
}

TEST_F(PoolTest, D29_ANameStandsForTheFilesThatItHasNow) {
  ServedModel old = Take("a");
  home.Write("a", "{ \"other\": true }");
  ServedModel fresh = Take("a");
  EXPECT_NE(old.engine.get(), fresh.engine.get());
  EXPECT_EQ(Ask(old.engine), "I am a.");
  home.Remove("a");
  EXPECT_EQ(Waiter(pool.get(), "a").Get().error().code, "model_not_found");
  old = fresh = {};
  Settle();
  EXPECT_EQ(opener->living(), 0);
}

TEST_F(PoolTest, D29_WhatIsDeletedWhileItLoadsIsNotFound) {
  opener->Hold();
  Waiter waiter(pool.get(), "a");
  opener->AwaitOpened(1);
  home.Remove("a");
  pool->Forget("a");
  opener->Let();
  EXPECT_EQ(waiter.Get().error().code, "model_not_found");
  Settle();
  EXPECT_EQ(opener->living(), 0);
}

TEST_F(PoolTest, SaysWhyAModelCannotBeLoadedAndTriesAgain) {
  opener->Break("a", true);
  const auto broken = Waiter(pool.get(), "a").Get();
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(HttpStatusOf(broken.error().kind, Dialect::kOpenAi), 500);
  EXPECT_NE(broken.error().message.find("it is broken"), std::string::npos);
  EXPECT_EQ(pool->counts().failed_loads, 1);
  opener->Break("a", false);
  EXPECT_EQ(Ask(Take("a").engine), "I am a.");
  for (const char* name : {"none", "../a", "models/a", ".", "A"})
    EXPECT_EQ(Waiter(pool.get(), name).Get().error().code, "model_not_found") << name;
}

TEST_F(PoolTest, ListsWhatThereIs) {
  EngineFixture fixture;
  pool->AddPinned({.name = "z", .engine = fixture.engine});
  Take("b");
  opener->Hold();
  Waiter waiter(pool.get(), "c");
  opener->AwaitOpened(2);
  const auto rows = pool->Rows();
  ASSERT_EQ(rows.size(), 4u);
  const auto is = [](const ModelPool::Row& row, const char* name, bool loaded, bool loading) {
    return row.name == name && (row.engine != nullptr) == loaded && row.loading == loading;
  };
  EXPECT_TRUE(is(rows[0], "z", true, false));
  EXPECT_TRUE(is(rows[1], "a", false, false));
  EXPECT_TRUE(is(rows[2], "b", true, false));
  EXPECT_TRUE(is(rows[3], "c", false, true));
  EXPECT_GE(rows[2].memory_bytes, FakeOpener::kModelBytes);
  EXPECT_TRUE(pool->Find("a:latest").ok());
  EXPECT_FALSE(pool->Find("none").ok());
  opener->Let();
  EXPECT_TRUE(waiter.Get().ok());
}

TEST_F(PoolTest, WhoOnlyLooksKeepsNothingLoaded) {
  Take("a");
  auto rows = pool->LoadedRows();
  EXPECT_TRUE(pool->Unload("a"));
  Settle();
  EXPECT_EQ(Loaded(), Names{});
  EXPECT_EQ(opener->living(), 1) << "what is looked at stays valid";
  rows.clear();
  Settle();
  EXPECT_EQ(opener->living(), 0);
}

TEST_F(PoolTest, EndsWithWaitersAndWithModelsInUse) {
  const ServedModel used = Take("a");
  opener->Hold();
  Waiter loading(pool.get(), "b"), queued(pool.get(), "c");
  opener->AwaitOpened(2);
  std::thread end([this] { pool.reset(); });
  EXPECT_EQ(loading.Get().error().code, "shutting_down");
  EXPECT_EQ(queued.Get().error().code, "shutting_down");
  opener->Let();
  end.join();
  EXPECT_EQ(opener->living(), 1);
  EXPECT_EQ(Ask(used.engine), "I am a.");
}

// Everything at once, in any order: whoever gets a model gets the right one, and in the end nothing
// is left.
TEST_F(PoolTest, D30_AStormOfEverything) {
  constexpr int kThreads = 4, kOperations = 150;
  auto options = Options();
  options.memory_bytes = 2 * FakeOpener::kModelBytes + 100;
  Make(options);
  std::atomic<int> answered = 0, refused = 0, wrong = 0;
  const auto storm = [&](std::uint64_t seed) {
    Random random(seed);
    const auto one_of = [&random](std::uint64_t count) { return random.Below(count); };
    for (int i = 0; i < kOperations; ++i) {
      const std::string name(1, static_cast<char>('a' + one_of(3)));
      switch (one_of(8)) {
        case 0:
          pool->Unload(name);
          break;
        case 1:
          home.Remove("d" + std::to_string(seed));
          pool->Forget("d" + std::to_string(seed));
          break;
        case 2:
          clock->Advance(std::chrono::minutes(one_of(6)));
          pool->Wake();
          break;
        case 3: {
          const Waiter waiter(pool.get(), name);
          pool->Cancel(waiter.waiting);
          break;
        }
        default: {
          const std::string asked = one_of(5) == 0 ? "d" + std::to_string(seed) : name;
          if (asked != name) home.Write(asked);
          const KeepAlive times[] = {KeepAlive(0), 1s, 5min, kKeepForever};
          auto model = Waiter(pool.get(), asked, times[one_of(4)]).Get();
          if (!model.ok()) {
            ++refused;
            wrong += model.error().code != "no_memory" && model.error().code != "model_not_found";
            break;
          }
          ++answered;
          wrong += Ask(model->engine) != "I am " + asked + ".";
        }
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(storm, static_cast<std::uint64_t>(i));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(answered, 0);
  for (const std::string& name : Loaded()) pool->Unload(name);
  Settle();
  EXPECT_EQ(opener->living(), 0);
  const auto counts = pool->counts();
  EXPECT_EQ(counts.loaded, 0);
  EXPECT_EQ(counts.loads, counts.unloads);
}

}  // namespace
}  // namespace hadal
