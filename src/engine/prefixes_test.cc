// Requests that begin as others did: the same tokens with what is known as without, and less work.
#include "engine/prefixes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "engine/loop_test_data.h"

namespace hadal {
namespace {

using Fixture = LoopFixture;
using Kind = FakeModel::Kind;
using Ids = std::vector<std::int32_t>;

StepLoopOptions Keeping(std::uint64_t bytes = 1 << 20) {
  StepLoopOptions options;
  options.prefixes.memory_bytes = bytes;
  return options;
}

Ids Joined(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Prefixes, AConversationGoesOnWhereItEnded) {
  Fixture fixture(64, 0, Kind::kPlain, Keeping());
  Ids tokens = RandomPrompt(1, 200);
  auto first = fixture.Ask(tokens, 10);
  ASSERT_TRUE(first->end.Pop().ok());
  EXPECT_EQ(first->cached_tokens, 0);
  tokens = Joined(Joined(tokens, first->tokens), {5, 6});
  const std::int64_t before = fixture.model->rows_computed;
  auto second = fixture.Ask(tokens, 4);
  ASSERT_TRUE(second->end.Pop().ok());
  EXPECT_EQ(second->cached_tokens, 209) << "all but the last token, which had no row";
  EXPECT_EQ(second->tokens, FakeModel::Greedy(tokens, 4));
  EXPECT_EQ(fixture.model->rows_computed - before, 3 + 3);
}

TEST(Prefixes, OthersBeginWhereTheyParted) {
  Fixture fixture(64, 0, Kind::kPlain, Keeping());
  const Ids system = RandomPrompt(2, 150);
  for (std::int32_t user = 0; user < 8; ++user) {
    const Ids prompt =
        Joined(Joined(system, {user}), RandomPrompt(static_cast<std::uint64_t>(10 + user), 20));
    auto task = fixture.Ask(prompt, 6);
    ASSERT_TRUE(task->end.Pop().ok());
    EXPECT_EQ(task->tokens, FakeModel::Greedy(prompt, 6));
    EXPECT_EQ(task->cached_tokens, user == 0 ? 0 : 150);
  }
  const EngineCounters counters = fixture.loop->counters();
  EXPECT_EQ(counters.prompt_tokens, 8 * 171);
  EXPECT_EQ(counters.prompt_tokens_cached, 7 * 150);
  EXPECT_EQ(counters.prompt_tokens_computed + counters.prompt_tokens_cached,
            counters.prompt_tokens);
  EXPECT_EQ(counters.prefixes.lookups, 8);
  EXPECT_EQ(counters.prefixes.hits, 7);
  EXPECT_GT(counters.prefixes.held_bytes, 0u);
}

TEST(Prefixes, ARunningAnswerSharesItsPrompt) {
  Fixture fixture(64, 0, Kind::kPlain, Keeping());
  const Ids prompt = RandomPrompt(3, 200);
  auto endless = fixture.Ask(prompt, 1 << 18);
  while (fixture.loop->counters().generated_tokens < 2) std::this_thread::yield();
  auto other = fixture.Ask(Joined(prompt, {1}), 3);
  ASSERT_TRUE(other->end.Pop().ok());
  EXPECT_EQ(other->cached_tokens, 200);
  EXPECT_EQ(other->tokens, FakeModel::Greedy(Joined(prompt, {1}), 3));
  endless->given_up = true;
  EXPECT_EQ(endless->end.Pop().code(), Code::kCancelled);
}

TEST(Prefixes, SpacesShareNothing) {
  Fixture fixture(64, 0, Kind::kPlain, Keeping());
  const Ids prompt = RandomPrompt(4, 100);
  ASSERT_TRUE(fixture.Ask(prompt, 4, "mine")->end.Pop().ok());
  auto other = fixture.Ask(prompt, 4, "yours");
  ASSERT_TRUE(other->end.Pop().ok());
  EXPECT_EQ(other->cached_tokens, 0);
  auto same = fixture.Ask(prompt, 4, "mine");
  ASSERT_TRUE(same->end.Pop().ok());
  EXPECT_EQ(same->cached_tokens, 99) << "the last prompt token is always computed";
}

TEST(Prefixes, NothingIsKeptWithoutABudget) {
  Fixture fixture;
  const Ids prompt = RandomPrompt(4, 100);
  ASSERT_TRUE(fixture.Ask(prompt, 4)->end.Pop().ok());
  auto again = fixture.Ask(prompt, 4);
  ASSERT_TRUE(again->end.Pop().ok());
  EXPECT_EQ(again->cached_tokens, 0);
  EXPECT_EQ(fixture.loop->counters().cache_used_bytes, 0u);
}

// Where windows forget, the second request that parts at a place leaves a snapshot there, and the
// third begins with it.
TEST(Prefixes, WindowsAreReplayedUntilASnapshotIsThere) {
  Fixture fixture(64, 0, Kind::kWindow, Keeping(1 << 24));
  const Ids system = RandomPrompt(5, 150);
  std::vector<std::int64_t> cached, replayed;
  for (std::int32_t user = 0; user < 3; ++user) {
    const Ids prompt =
        Joined(Joined(system, {user}), RandomPrompt(static_cast<std::uint64_t>(20 + user), 90));
    auto task = fixture.Ask(prompt, 6);
    ASSERT_TRUE(task->end.Pop().ok());
    ASSERT_EQ(task->tokens, FakeModel::Greedy(prompt, 6));
    cached.push_back(task->cached_tokens);
    replayed.push_back(task->replayed_tokens);
  }
  EXPECT_EQ(cached, (std::vector<std::int64_t>{0, 0, 128}));
  EXPECT_EQ(replayed, (std::vector<std::int64_t>{0, 150, 22}));
}

// Conversations of many turns over few beginnings, at once, with pages for some of them only: the
// tokens are those of a model that is asked alone.
TEST(Prefixes, TokensDoNotDependOnWhatIsKnown) {
  for (const Kind kind : {Kind::kPlain, Kind::kWindow}) {
    for (const std::int64_t step_tokens : {7, 64, 200}) {
      for (const std::uint64_t pages : {0, 90}) {
        for (const std::uint64_t kept : {6000, 1 << 20}) {
          Fixture fixture(step_tokens, pages, kind, Keeping(kept));
          std::vector<Ids> talks;
          for (std::uint64_t i = 0; i < 10; ++i)
            talks.push_back(
                Joined(RandomPrompt(i % 3, 140 + 20 * (i % 2)), RandomPrompt(50 + i, 30)));
          for (int turn = 0; turn < 3; ++turn) {
            std::vector<std::shared_ptr<Collector>> tasks;
            for (const Ids& talk : talks) tasks.push_back(fixture.Ask(talk, 12));
            for (std::size_t i = 0; i < talks.size(); ++i) {
              ASSERT_TRUE(tasks[i]->end.Pop().ok());
              ASSERT_EQ(tasks[i]->tokens, FakeModel::Greedy(talks[i], 12))
                  << "turn " << turn << ", talk " << i << ", pages " << pages << ", step "
                  << step_tokens;
              talks[i] = Joined(Joined(talks[i], tasks[i]->tokens),
                                RandomPrompt(100 + i, 10 + 30 * (i % 3)));
            }
          }
          const EngineCounters counters = fixture.loop->counters();
          EXPECT_GT(counters.prompt_tokens_cached, 0);
          EXPECT_EQ(counters.prompt_tokens_computed + counters.prompt_tokens_cached,
                    counters.prompt_tokens);
          EXPECT_LE(counters.prefixes.held_bytes, kept);
        }
      }
    }
  }
}

TEST(Prefixes, GiveWayBeforeAnybodyIsPreempted) {
  Fixture fixture(64, 8, Kind::kPlain, Keeping());
  for (std::uint64_t i = 0; i < 4; ++i)
    ASSERT_TRUE(fixture.Ask(RandomPrompt(i, 100), 4)->end.Pop().ok());
  const Ids large = RandomPrompt(9, 450);
  auto task = fixture.Ask(large, 10);
  ASSERT_TRUE(task->end.Pop().ok());
  EXPECT_EQ(task->tokens, FakeModel::Greedy(large, 10));
  const EngineCounters counters = fixture.loop->counters();
  EXPECT_EQ(counters.preemptions, 0);
  EXPECT_GT(counters.prefixes.evicted, 0);
}

TEST(Prefixes, GiveWayWhereMemoryEnds) {
  Fixture fixture(512, 0, Kind::kPlain, Keeping());
  ASSERT_TRUE(fixture.Ask(RandomPrompt(1, 300), 4)->end.Pop().ok());
  fixture.model->fake_memory().set_left_bytes(0);
  const Ids other = RandomPrompt(2, 300);
  auto task = fixture.Ask(other, 4);
  ASSERT_TRUE(task->end.Pop().ok());
  EXPECT_EQ(task->tokens, FakeModel::Greedy(other, 4));
  EXPECT_GT(fixture.loop->counters().out_of_memory, 0);
}

// A folder of the disk tier, opened anew by every engine.
class Disk {
 public:
  Disk()
      : folder_(std::filesystem::temp_directory_path() /
                ("hadal_prefixes_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~Disk() { std::filesystem::remove_all(folder_); }
  StepLoopOptions Options() const {
    PrefixDiskOptions disk;
    disk.folder = folder_.string();
    disk.fingerprint = "fake";
    disk.quota_bytes = 64 << 20;
    disk.reserve_bytes = 0;
    StepLoopOptions options = Keeping(1 << 24);
    auto opened = PrefixDisk::Open(disk);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    options.prefixes.disk = *std::move(opened);
    return options;
  }
  std::vector<std::filesystem::path> Files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(folder_))
      if (file.path().extension() == ".prefix") files.push_back(file.path());
    return files;
  }

 private:
  std::filesystem::path folder_;
};

TEST(PrefixFiles, SurviveARestart) {
  for (const Kind kind : {Kind::kPlain, Kind::kWindow}) {
    const Disk disk;
    Ids tokens = RandomPrompt(8, 300);
    {
      Fixture fixture(64, 0, kind, disk.Options());
      auto task = fixture.Ask(tokens, 10, "s");
      ASSERT_TRUE(task->end.Pop().ok());
      tokens = Joined(Joined(tokens, task->tokens), {7});
    }
    EXPECT_EQ(disk.Files().size(), 1u);
    Fixture fixture(64, 0, kind, disk.Options());
    // Many at once read the file once; another space reads nothing.
    std::vector<std::shared_ptr<Collector>> tasks;
    for (int i = 0; i < 4; ++i) tasks.push_back(fixture.Ask(tokens, 8, "s"));
    auto stranger = fixture.Ask(tokens, 8, "t");
    for (const auto& task : tasks) {
      ASSERT_TRUE(task->end.Pop().ok());
      EXPECT_EQ(task->tokens, FakeModel::Greedy(tokens, 8));
      // Those that come late share what the first one has read beyond the file.
      EXPECT_GE(task->cached_tokens, 309);
      EXPECT_LE(task->cached_tokens, 310);
    }
    EXPECT_EQ(tasks[0]->cached_tokens, 309);
    ASSERT_TRUE(stranger->end.Pop().ok());
    EXPECT_EQ(stranger->tokens, tasks[0]->tokens);
    EXPECT_EQ(stranger->cached_tokens, 0);
    EXPECT_EQ(fixture.loop->counters().prefixes.disk.loaded, 1);
  }
}

// A process that is killed loses the last moment, and nothing that ended before: files are there
// while the engine runs, of all of many that end together.
TEST(PrefixFiles, AreWrittenSoonAfterTheAnswer) {
  constexpr std::size_t kAtOnce = 24;
  const Disk disk;
  Fixture fixture(512, 0, Kind::kPlain, disk.Options());
  std::vector<std::shared_ptr<Collector>> tasks;
  for (std::uint64_t i = 0; i < kAtOnce; ++i) tasks.push_back(fixture.Ask(RandomPrompt(i, 80), 4));
  for (const auto& task : tasks) ASSERT_TRUE(task->end.Pop().ok());
  for (int i = 0; i < 1000 && disk.Files().size() < kAtOnce; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(disk.Files().size(), kAtOnce);
}

// Nor does a conversation that never rests stay unwritten.
TEST(PrefixFiles, AConversationThatGoesOnIsWrittenMeanwhile) {
  const Disk disk;
  Fixture fixture(64, 0, Kind::kPlain, disk.Options());
  Ids tokens = RandomPrompt(8, 200);
  for (int turn = 0; turn < 3000 && disk.Files().empty(); ++turn) {
    auto task = fixture.Ask(tokens, 2);
    ASSERT_TRUE(task->end.Pop().ok());
    tokens = Joined(tokens, task->tokens);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(disk.Files().size(), 1u);
}

TEST(PrefixFiles, ADamagedOneCostsTimeAndNoToken) {
  const Disk disk;
  const Ids tokens = RandomPrompt(8, 300);
  {
    Fixture fixture(64, 0, Kind::kPlain, disk.Options());
    ASSERT_TRUE(fixture.Ask(tokens, 10)->end.Pop().ok());
  }
  const auto files = disk.Files();
  ASSERT_EQ(files.size(), 1u);
  Fixture fixture(64, 0, Kind::kPlain, disk.Options());
  {
    std::fstream file(files[0], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-5, std::ios::end);
    file.put(static_cast<char>(0x5a));
    file.put(static_cast<char>(0xa5));
  }
  auto task = fixture.Ask(tokens, 10);
  ASSERT_TRUE(task->end.Pop().ok());
  EXPECT_EQ(task->tokens, FakeModel::Greedy(tokens, 10));
  EXPECT_EQ(task->cached_tokens, 0);
  EXPECT_EQ(fixture.loop->counters().prefixes.disk.broken, 1);
}

TEST(PrefixFiles, AConversationIsWrittenOnce) {
  const Disk disk;
  {
    Fixture fixture(64, 0, Kind::kPlain, disk.Options());
    Ids tokens = RandomPrompt(8, 200);
    for (int turn = 0; turn < 5; ++turn) {
      auto task = fixture.Ask(tokens, 10);
      ASSERT_TRUE(task->end.Pop().ok());
      tokens = Joined(tokens, task->tokens);
    }
  }
  EXPECT_EQ(disk.Files().size(), 1u);
}

}  // namespace
}  // namespace hadal
