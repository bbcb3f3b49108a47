#include "engine/step_loop.h"

#include <gtest/gtest.h>

#include <limits>

#include "engine/loop_test_data.h"

namespace hadal {
namespace {

using Fixture = LoopFixture;

TEST(StepLoop, AnswersOneRequest) {
  Fixture fixture;
  const auto prompt = RandomPrompt(1, 150);
  const auto task = fixture.Start(fixture.loop->NewSequence(), prompt, 20);
  EXPECT_TRUE(task->end.Pop().ok());
  EXPECT_EQ(task->tokens, FakeModel::Greedy(prompt, 20));
  EXPECT_EQ(task->positions.front(), 150);
  EXPECT_EQ(task->positions.back(), 169);
}

TEST(StepLoop, EndsWhereTheTaskSaysSo) {
  Fixture fixture;
  auto task = std::make_shared<Collector>();
  task->last_after = 5;
  fixture.Start(fixture.loop->NewSequence(), {1, 2}, 20, task);
  EXPECT_TRUE(task->end.Pop().ok());
  EXPECT_EQ(task->chosen(), 5);
}

// Many requests at once, short and long, through few and many pages: everyone gets the tokens that
// it would get alone.
TEST(StepLoop, TokensDoNotDependOnCompany) {
  for (const std::int64_t step_tokens : {1, 3, 64, 512}) {
    for (const std::uint64_t pages : {0, 12}) {
      Fixture fixture(step_tokens, pages);
      std::vector<std::shared_ptr<Collector>> tasks;
      std::vector<std::vector<std::int32_t>> prompts;
      for (std::uint64_t i = 0; i < 12; ++i) {
        prompts.push_back(RandomPrompt(i, 1 + (i * 67) % 300));
        tasks.push_back(
            fixture.Start(fixture.loop->NewSequence(), prompts.back(), 10 + 5 * (i % 4)));
      }
      for (std::size_t i = 0; i < tasks.size(); ++i) {
        ASSERT_TRUE(tasks[i]->end.Pop().ok());
        ASSERT_EQ(tasks[i]->tokens, FakeModel::Greedy(prompts[i], 10 + 5 * (i % 4)))
            << "step_tokens " << step_tokens << ", pages " << pages << ", request " << i;
      }
      if (step_tokens == 512 && pages == 0) {
        EXPECT_GT(fixture.model->most_segments, 4u);
      }
    }
  }
}

TEST(StepLoop, ComputesOnlyWhatIsNewInATimeline) {
  Fixture fixture;
  const std::uint64_t sequence = fixture.loop->NewSequence();
  std::vector<std::int32_t> tokens = RandomPrompt(3, 200);
  auto first = fixture.Start(sequence, tokens, 10);
  ASSERT_TRUE(first->end.Pop().ok());
  tokens.insert(tokens.end(), first->tokens.begin(), first->tokens.end());
  tokens.push_back(5);
  const std::int64_t before = fixture.model->rows_computed;
  auto second = fixture.Start(sequence, tokens, 4);
  ASSERT_TRUE(second->end.Pop().ok());
  EXPECT_EQ(second->first_known, 209);  // the last token of the answer had no row yet
  EXPECT_EQ(fixture.model->rows_computed - before, 2 + 3);
  EXPECT_EQ(second->tokens, FakeModel::Greedy(tokens, 4));

  tokens.resize(100);  // a turn is taken back
  tokens.push_back(96);
  auto third = fixture.Start(sequence, tokens, 4);
  ASSERT_TRUE(third->end.Pop().ok());
  EXPECT_EQ(third->first_known, 100);
  EXPECT_EQ(third->tokens, FakeModel::Greedy(tokens, 4));

  auto same = fixture.Start(sequence, tokens, 4);  // all of it is known: the last is computed again
  ASSERT_TRUE(same->end.Pop().ok());
  EXPECT_EQ(same->first_known, 100);
  EXPECT_EQ(same->tokens, third->tokens);
}

// A timeline that goes back beyond what its windows hold: tokens are fed again from a snapshot, and
// the answer is that of a fresh timeline.
TEST(StepLoop, ReplaysWhatWindowsHaveForgotten) {
  Fixture fixture(64, 0, FakeModel::Kind::kWindow);
  const std::uint64_t sequence = fixture.loop->NewSequence();
  const std::vector<std::int32_t> prompt = RandomPrompt(7, 700);
  auto first = fixture.Start(sequence, prompt, 130);
  ASSERT_TRUE(first->end.Pop().ok());
  ASSERT_EQ(first->tokens, FakeModel::Greedy(prompt, 130));
  EXPECT_EQ(first->replayed_tokens, 0);

  const auto start_at = [&](std::size_t known, std::int64_t cached) {
    std::vector<std::int32_t> tokens = prompt;
    tokens.insert(tokens.end(), first->tokens.begin(), first->tokens.end());
    tokens.resize(known);
    tokens.push_back(known < prompt.size() ? (prompt[known] + 1) % 90 : 95);
    const std::int64_t before = fixture.model->rows_computed;
    auto next = fixture.Start(sequence, tokens, 3);
    EXPECT_TRUE(next->end.Pop().ok());
    EXPECT_EQ(next->tokens, FakeModel::Greedy(tokens, 3)) << known;
    EXPECT_EQ(next->cached_tokens, cached) << known;
    EXPECT_EQ(next->replayed_tokens, static_cast<std::int64_t>(known) - cached) << known;
    EXPECT_EQ(fixture.model->rows_computed - before,
              static_cast<std::int64_t>(tokens.size()) - cached + 2);
  };
  start_at(829, 829);  // the turn goes on: nothing is forgotten
  start_at(825, 825);  // within the rollback
  start_at(760, 640);  // within an answer: where its prompt ended, rounded down
  start_at(700, 640);  // the prompt again
  start_at(600, 512);  // one that every stretch of 256 tokens leaves
  start_at(100, 0);
}

TEST(StepLoop, TokensOfWindowsDoNotDependOnCompany) {
  for (const std::int64_t step_tokens : {3, 64, 200}) {
    for (const std::uint64_t pages : {0, 90}) {
      Fixture fixture(step_tokens, pages, FakeModel::Kind::kWindow);
      std::vector<std::shared_ptr<Collector>> tasks;
      std::vector<std::vector<std::int32_t>> prompts;
      std::vector<std::uint64_t> sequences;
      for (std::uint64_t i = 0; i < 24; ++i) {
        if (i < 8) sequences.push_back(fixture.loop->NewSequence());
        if (i >= 8) {
          ASSERT_TRUE(tasks[i - 8]->end.Pop().ok());
        }
        prompts.push_back(RandomPrompt(i % 8, 1 + (i * 67) % 300));
        tasks.push_back(fixture.Start(sequences[i % 8], prompts.back(), 10));
      }
      for (std::size_t i = 0; i < tasks.size(); ++i) {
        if (i >= 16) {
          ASSERT_TRUE(tasks[i]->end.Pop().ok());
        }
        ASSERT_EQ(tasks[i]->tokens, FakeModel::Greedy(prompts[i], 10))
            << "step_tokens " << step_tokens << ", pages " << pages << ", request " << i;
      }
    }
  }
}

TEST(StepLoop, CancelsBetweenTokens) {
  Fixture fixture;
  auto task = std::make_shared<Collector>();
  task->cancel_after = 3;
  fixture.Start(fixture.loop->NewSequence(), {1}, 1000, task);
  EXPECT_EQ(task->end.Pop().code(), Code::kCancelled);
  EXPECT_EQ(task->chosen(), 3);
}

TEST(StepLoop, ClosingEndsEverything) {
  auto task = std::make_shared<Collector>();
  {
    Fixture fixture;
    fixture.Start(fixture.loop->NewSequence(), {1}, 1 << 20, task);
  }
  EXPECT_EQ(task->end.Pop().code(), Code::kCancelled);
}

TEST(StepLoop, ABrokenRowEndsItsRequestAlone) {
  Fixture fixture;
  auto broken = std::make_shared<Collector>();
  broken->broken_at = 2;
  const std::uint64_t sequence = fixture.loop->NewSequence();
  const auto prompt = RandomPrompt(4, 90);
  auto neighbour = fixture.Start(fixture.loop->NewSequence(), prompt, 30);
  fixture.Start(sequence, prompt, 30, broken);
  EXPECT_EQ(broken->end.Pop().code(), Code::kFailed);
  EXPECT_TRUE(neighbour->end.Pop().ok());
  EXPECT_EQ(neighbour->tokens, FakeModel::Greedy(prompt, 30));
  auto later = fixture.Start(sequence, prompt, 5);
  ASSERT_TRUE(later->end.Pop().ok());
  EXPECT_EQ(later->first_known, 0) << "nothing of a broken timeline is kept";
}

TEST(StepLoop, SaysWhatCanNeverFit) {
  Fixture fixture(64, 4);
  EXPECT_TRUE(fixture.loop->Fits(256));
  EXPECT_FALSE(fixture.loop->Fits(257));
  EXPECT_EQ(fixture.loop->most_tokens(), 256);
  Fixture open;
  EXPECT_EQ(open.loop->most_tokens(), std::numeric_limits<std::int64_t>::max());
}

// The page budget has no bound of its own here, but the memory ends: idle timelines go first.
TEST(StepLoop, SurvivesTheEndOfMemory) {
  Fixture fixture;
  const std::uint64_t idle = fixture.loop->NewSequence();
  const auto prompt = RandomPrompt(5, 300);
  ASSERT_TRUE(fixture.Start(idle, prompt, 2)->end.Pop().ok());
  fixture.model->fake_memory().set_left_bytes(0);  // no page beyond those of the idle timeline
  auto task = fixture.Start(fixture.loop->NewSequence(), prompt, 2);
  EXPECT_TRUE(task->end.Pop().ok());
  EXPECT_EQ(task->tokens, FakeModel::Greedy(prompt, 2));
  auto larger = fixture.Start(fixture.loop->NewSequence(), RandomPrompt(6, 1000), 2);
  EXPECT_EQ(larger->end.Pop().code(), Code::kNoRoom);
}

}  // namespace
}  // namespace hadal
