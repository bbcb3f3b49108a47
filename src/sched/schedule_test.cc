#include "sched/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/random.h"
#include "sched/share.h"

namespace hadal {
namespace {

Budget SmallBudget() {
  Budget budget;
  budget.step_rows = 16;
  budget.mixed_rows = 8;
  budget.requests = 4;
  budget.page_tokens = 4;
  return budget;
}

QueueEntry Request(std::uint64_t id, std::int64_t prompt, std::int64_t answer) {
  QueueEntry entry;
  entry.id = id;
  entry.sequence = 100 + id;
  entry.pending_tokens = prompt;
  entry.left_tokens = answer;
  return entry;
}

TEST(Schedule, PromptInChunksThenOneRowAToken) {
  QueueState state;
  Submit(&state, Request(1, 20, 3));
  const Budget budget = SmallBudget();
  std::vector<std::pair<std::int64_t, bool>> steps;
  while (!state.entries.empty()) {
    const StepPlan plan = Schedule(state, budget);
    ASSERT_EQ(plan.rows.size(), 1u);
    steps.emplace_back(plan.rows[0].rows, plan.rows[0].sample);
    Fold(plan, {}, &state);
  }
  const std::vector<std::pair<std::int64_t, bool>> expected = {
      {16, false}, {4, true}, {1, true}, {1, true}};
  EXPECT_EQ(steps, expected);
  ASSERT_EQ(state.idle.size(), 1u);
  EXPECT_EQ(state.idle[0].sequence, 101u);
  EXPECT_EQ(state.idle[0].cached_tokens, 22);  // the last token has no row
}

// Stretches of 48 tokens, snapshots at multiples of 8: steps end at 48 and 96, and where the prompt
// ends rounded down.
TEST(Schedule, PromptStepsEndWhereSnapshotsAreWanted) {
  QueueState state;
  Submit(&state, Request(1, 109, 2));
  Budget budget = SmallBudget();
  budget.step_rows = 20;
  budget.snapshot_alignment = 8;
  budget.snapshot_tokens = 48;
  std::vector<std::int64_t> ends;
  while (!state.entries.empty()) {
    const StepPlan plan = Schedule(state, budget);
    ASSERT_EQ(plan.rows.size(), 1u);
    ends.push_back(state.entries[0].cached_tokens + plan.rows[0].rows);
    EXPECT_EQ(plan.rows[0].sample, ends.back() >= 109);
    Fold(plan, {}, &state);
  }
  EXPECT_EQ(ends, (std::vector<std::int64_t>{20, 40, 48, 68, 88, 96, 104, 109, 110}));
}

TEST(Schedule, EveryTimelineHasPagesOfItsOwn) {
  Budget budget = SmallBudget();
  budget.pages = 20;
  budget.sequence_pages = 7;
  EXPECT_EQ(PagesOf(0, budget), 0);
  EXPECT_EQ(PagesOf(1, budget), 8);
  EXPECT_TRUE(CanEverFit(52, budget));
  EXPECT_FALSE(CanEverFit(53, budget));
  QueueState state;
  for (std::uint64_t id = 1; id <= 3; ++id) Submit(&state, Request(id, 8, 4));
  EXPECT_EQ(Schedule(state, budget).admit, (std::vector<std::uint64_t>{1, 2}));
}

TEST(Schedule, DecodeGoesOnBesideALongPrompt) {
  QueueState state;
  const Budget budget = SmallBudget();
  Submit(&state, Request(1, 1, 50));
  Fold(Schedule(state, budget), {}, &state);
  Submit(&state, Request(2, 100, 1));
  for (int step = 0; step < 10; ++step) {
    const StepPlan plan = Schedule(state, budget);
    ASSERT_EQ(plan.rows.size(), 2u);
    EXPECT_EQ(plan.rows[0].rows, 1);
    EXPECT_TRUE(plan.rows[0].sample);
    EXPECT_EQ(plan.rows[1].rows, budget.mixed_rows - 1);
    Fold(plan, {}, &state);
  }
}

TEST(Schedule, PromptsShareTheRows) {
  QueueState state;
  Submit(&state, Request(1, 1000, 1));
  Submit(&state, Request(2, 1000, 1));
  Submit(&state, Request(3, 2, 1));
  const StepPlan plan = Schedule(state, SmallBudget());
  ASSERT_EQ(plan.rows.size(), 3u);
  EXPECT_EQ(plan.rows[0].rows, 7);
  EXPECT_EQ(plan.rows[1].rows, 7);
  EXPECT_EQ(plan.rows[2].rows, 2);
  EXPECT_TRUE(plan.rows[2].sample);
}

TEST(Schedule, IdlePagesGoFirstThenTheNewestRequest) {
  Budget budget = SmallBudget();
  budget.pages = 8;
  QueueState state;
  state.step = 10;
  state.idle = {{7, 8, 3}, {8, 8, 2}};  // two pages each; 8 was used longer ago
  QueueEntry old = Request(1, 1, 20), young = Request(2, 1, 9);
  Submit(&state, old);
  Submit(&state, young);
  state.entries[0].cached_tokens = state.entries[1].cached_tokens = 8;
  state.entries[0].admitted = state.entries[1].admitted = true;
  StepPlan plan = Schedule(state, budget);
  EXPECT_EQ(plan.evict, std::vector<std::uint64_t>{8});
  EXPECT_TRUE(plan.preempt.empty());
  EXPECT_EQ(plan.rows.size(), 2u);

  state.idle.clear();
  budget.pages = 4;
  plan = Schedule(state, budget);
  EXPECT_EQ(plan.preempt, std::vector<std::uint64_t>{2});
  ASSERT_EQ(plan.rows.size(), 1u);
  EXPECT_EQ(plan.rows[0].id, 1u);
  Fold(plan, {}, &state);
  EXPECT_EQ(state.entries[1].cached_tokens, 0);
  EXPECT_EQ(state.entries[1].pending_tokens, 9);
  EXPECT_FALSE(state.entries[1].admitted);
}

// One request that decodes and has 10 guesses.
QueueState Guessing(std::int64_t cached, std::int64_t left) {
  QueueState state;
  QueueEntry entry = Request(1, 1, left);
  entry.cached_tokens = cached;
  entry.admitted = true;
  Submit(&state, entry);
  Offer(&state, 1, 10);
  return state;
}

TEST(Schedule, GuessesGetTheRowsThatNobodyWants) {
  QueueState state = Guessing(9, 100);
  EXPECT_EQ(Schedule(state, SmallBudget()).rows[0].draft_rows, 7);  // of mixed_rows, less its own
  Submit(&state, Request(2, 4, 5));
  const StepPlan plan = Schedule(state, SmallBudget());
  ASSERT_EQ(plan.rows.size(), 2u);
  EXPECT_EQ(plan.rows[0].draft_rows, 3);
  EXPECT_EQ(plan.rows[1].rows, 4);
  Submit(&state, Request(3, 40, 5));
  EXPECT_EQ(Schedule(state, SmallBudget()).rows[0].draft_rows, 0) << "a prompt has work for all";
}

TEST(Schedule, GuessesNeverPassTheLastToken) {
  EXPECT_EQ(Schedule(Guessing(9, 3), SmallBudget()).rows[0].draft_rows, 2);
  EXPECT_EQ(Schedule(Guessing(9, 1), SmallBudget()).rows[0].draft_rows, 0);
}

TEST(Schedule, NothingIsGivenUpForGuesses) {
  QueueState state = Guessing(9, 100);
  state.idle = {{7, 4, 1}};
  Budget budget = SmallBudget();
  budget.pages = 4;  // three are held by the request, whose third has room for two more rows
  const StepPlan plan = Schedule(state, budget);
  EXPECT_TRUE(plan.evict.empty());
  EXPECT_EQ(plan.rows[0].draft_rows, 2);
}

TEST(Schedule, RightGuessesKeepTheirRows) {
  QueueState state = Guessing(9, 100);
  const StepPlan plan = Schedule(state, SmallBudget());
  StepResult result;
  result.sampled = {{1, 4, false}};
  Fold(plan, result, &state);
  ASSERT_EQ(state.entries.size(), 1u);
  EXPECT_EQ(state.entries[0].cached_tokens, 13);
  EXPECT_EQ(state.entries[0].pending_tokens, 1);
  EXPECT_EQ(state.entries[0].left_tokens, 96);
  EXPECT_EQ(state.entries[0].draft_tokens, 0);
  EXPECT_EQ(Schedule(state, SmallBudget()).rows[0].draft_rows, 0);
}

TEST(Schedule, AStepThatDidNotRunChangesNoRow) {
  QueueState state;
  Submit(&state, Request(1, 20, 3));
  const StepPlan plan = Schedule(state, SmallBudget());
  StepResult result;
  result.ran = false;
  Fold(plan, result, &state);
  EXPECT_EQ(state.entries[0].cached_tokens, 0);
  EXPECT_EQ(state.entries[0].pending_tokens, 20);
}

TEST(Schedule, WithdrawnRequestsLeaveTheirRowsToTheTimeline) {
  QueueState state;
  Submit(&state, Request(1, 20, 3));
  Fold(Schedule(state, SmallBudget()), {}, &state);
  Withdraw(&state, 1);
  EXPECT_TRUE(state.entries.empty());
  ASSERT_EQ(state.idle.size(), 1u);
  EXPECT_EQ(state.idle[0].cached_tokens, 16);
  Forget(&state, 101);
  EXPECT_TRUE(state.idle.empty());
}

// A world around the scheduler: keeps its own account of rows, pages and tokens, and compares.
class World {
 public:
  // `most_guesses`: of a request, before a step; as many of them as chance wants are right.
  World(std::uint64_t seed, Budget budget, std::uint64_t most_guesses)
      : random_(seed), budget_(budget), most_guesses_(most_guesses) {}

  void Arrive() {
    const auto prompt = static_cast<std::int64_t>(1 + random_.Below(60));
    const auto answer = static_cast<std::int64_t>(1 + random_.Below(30));
    if (!CanEverFit(prompt + answer, budget_)) return;
    QueueEntry entry = Request(next_id_++, prompt, answer);
    entry.tenant = random_.Below(3);
    entry.priority = static_cast<std::int32_t>(random_.Below(3)) - 1;
    if (random_.Below(4) == 0) entry.snapshot_at = static_cast<std::int64_t>(random_.Below(60));
    // Sometimes the timeline is an idle one of which a prefix is still good.
    if (!state_.idle.empty() && random_.Below(2) == 0) {
      const IdleSequence idle = state_.idle[random_.Below(state_.idle.size())];
      entry.sequence = idle.sequence;
      entry.cached_tokens = std::min(idle.cached_tokens, prompt - 1);
      entry.pending_tokens = prompt - entry.cached_tokens;
    }
    rows_[entry.sequence] = entry.cached_tokens;
    tokens_[entry.id] = {prompt, answer, 0, entry.sequence};
    Submit(&state_, entry);
  }

  void Guess() {
    for (const QueueEntry& entry : state_.entries)
      if (entry.cached_tokens > 0 && entry.pending_tokens == 1)
        Offer(&state_, entry.id, static_cast<std::int64_t>(random_.Below(most_guesses_ + 1)));
  }

  // Those that wait without rows turn out to have some, as from a known prefix.
  void Find() {
    for (const QueueEntry& entry : state_.entries) {
      if (entry.admitted || entry.blocked || entry.cached_tokens > 0 || random_.Below(8) > 0)
        continue;
      const auto most = static_cast<std::uint64_t>(entry.pending_tokens);
      const auto known = static_cast<std::int64_t>(random_.Below(most));
      std::int64_t pages = PagesOf(known, budget_) + state_.kept_pages;
      for (const auto& [sequence, rows] : rows_) pages += PagesOf(rows, budget_);
      if (pages > budget_.pages) continue;
      rows_[entry.sequence] = known;
      Attach(&state_, entry.id, known);
    }
  }
  void BlockSome() {
    for (const QueueEntry& entry : state_.entries)
      if (!entry.admitted && entry.cached_tokens == 0 && random_.Below(10) == 0)
        Block(&state_, entry.id, !entry.blocked);
  }
  // Known prefixes take what is left.
  void Keep() {
    std::int64_t pages = 0;
    for (const auto& [sequence, rows] : rows_) pages += PagesOf(rows, budget_);
    const std::int64_t left = std::min<std::int64_t>(budget_.pages - pages, 1000);
    state_.kept_pages =
        static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(left) + 1));
  }

  void Step() {
    if (most_guesses_ > 0) Guess();
    Find();
    BlockSome();
    Keep();
    const StepPlan plan = Schedule(state_, budget_);
    ASSERT_LE(plan.release, state_.kept_pages);
    const bool idle = std::all_of(state_.entries.begin(), state_.entries.end(),
                                  [](const QueueEntry& entry) { return entry.blocked; });
    ASSERT_EQ(plan.rows.empty(), idle) << "somebody always goes on";
    std::set<std::uint64_t> admitted(plan.admit.begin(), plan.admit.end());
    bool decoding = false;
    for (const QueueEntry& entry : state_.entries)
      if (entry.admitted) admitted.insert(entry.id);
    for (const std::uint64_t id : plan.aside) {
      ASSERT_EQ(admitted.erase(id), 1u);
      EXPECT_NE(id, First(state_.entries)) << "the first never steps aside";
    }
    const std::uint64_t first = First(state_.entries, &admitted);
    for (const std::uint64_t sequence : plan.evict) rows_[sequence] = 0;
    for (const std::uint64_t id : plan.preempt) {
      rows_[tokens_.at(id).sequence] = 0;
      admitted.erase(id);
      EXPECT_NE(id, first) << "the first in place never gives way";
    }
    std::int64_t rows = 0;
    std::set<std::uint64_t> served;
    StepResult result;
    std::map<std::uint64_t, std::int64_t> held_in_step = rows_;
    for (const PlannedRows& planned : plan.rows) {
      ASSERT_GT(planned.rows, 0);
      ASSERT_TRUE(admitted.count(planned.id));
      ASSERT_TRUE(served.insert(planned.id).second);
      Tokens& tokens = tokens_.at(planned.id);
      std::int64_t& held = rows_[tokens.sequence];
      const std::int64_t known = tokens.prompt + tokens.sampled;
      decoding |= held > 0 && known - held == 1;
      held += planned.rows;
      rows += planned.rows + planned.draft_rows;
      ASSERT_LE(held, known);
      ASSERT_EQ(planned.sample, held == known);
      held_in_step[tokens.sequence] = held + planned.draft_rows;
      guessed_rows_ += planned.draft_rows;
      if (!planned.sample) {
        ASSERT_EQ(planned.draft_rows, 0);
        continue;
      }
      const auto right = static_cast<std::int64_t>(
          random_.Below(static_cast<std::uint64_t>(planned.draft_rows) + 1));
      held += right;
      tokens.sampled += 1 + right;
      ASSERT_LE(tokens.sampled, tokens.answer);
      result.sampled.push_back({planned.id, 1 + right, false});
    }
    ASSERT_LE(rows, decoding ? budget_.mixed_rows : budget_.step_rows);
    ASSERT_LE(static_cast<std::int64_t>(admitted.size()), budget_.requests);
    std::int64_t pages = 0;
    for (const auto& [sequence, held] : held_in_step) pages += PagesOf(held, budget_);
    ASSERT_LE(pages + state_.kept_pages - plan.release, budget_.pages) << "while the step runs";
    if (budget_.pages == std::numeric_limits<std::int64_t>::max()) {
      ASSERT_EQ(served, admitted) << "with pages enough everyone is served in every step";
    } else if (first != 0) {
      ASSERT_TRUE(served.count(first)) << "the first in place is always served";
    }
    Fold(plan, result, &state_);
  }

  void Cancel() {
    if (state_.entries.empty()) return;
    const std::uint64_t id = state_.entries[random_.Below(state_.entries.size())].id;
    tokens_.erase(id);
    Withdraw(&state_, id);
  }

  void Run() {
    for (int round = 0; round < 300; ++round) {
      if (random_.Below(3) == 0) Arrive();
      if (random_.Below(40) == 0) Cancel();
      Step();
      if (::testing::Test::HasFatalFailure()) return;
    }
    for (int round = 0; round < 20000 && !state_.entries.empty(); ++round) {
      Step();
      if (::testing::Test::HasFatalFailure()) return;
    }
    EXPECT_TRUE(state_.entries.empty()) << "a request was never finished";
    for (const auto& [id, tokens] : tokens_) EXPECT_EQ(tokens.sampled, tokens.answer) << id;
  }
  std::int64_t guessed_rows() const { return guessed_rows_; }

 private:
  // The one that stands before all others (of those in `among`); 0: none.
  std::uint64_t First(const std::vector<QueueEntry>& entries,
                      const std::set<std::uint64_t>* among = nullptr) const {
    const QueueEntry* first = nullptr;
    for (const QueueEntry& entry : entries)
      if ((among == nullptr || among->count(entry.id) > 0) &&
          (first == nullptr || StandsBefore(entry, *first, budget_)))
        first = &entry;
    return first == nullptr ? 0 : first->id;
  }
  struct Tokens {
    std::int64_t prompt, answer, sampled;
    std::uint64_t sequence;
  };
  Random random_;
  Budget budget_;
  std::uint64_t most_guesses_;
  std::int64_t guessed_rows_ = 0;
  QueueState state_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Tokens> tokens_;      // by request
  std::map<std::uint64_t, std::int64_t> rows_;  // by timeline
};

TEST(ScheduleProperty, NothingIsLostAndNobodyStarves) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    for (const std::uint64_t guesses : {0, 4}) {
      World world(seed, SmallBudget(), guesses);
      world.Run();
      if (HasFatalFailure()) FAIL() << "seed " << seed << ", guesses " << guesses;
      EXPECT_EQ(world.guessed_rows() > 0, guesses > 0);
    }
  }
}

TEST(ScheduleProperty, NothingIsLostBetweenSnapshots) {
  for (const std::int64_t pages : {25, 60}) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      Budget budget = SmallBudget();
      budget.pages = pages;
      budget.sequence_pages = 2;
      budget.snapshot_alignment = 4;
      budget.snapshot_tokens = 24;
      World world(seed, budget, seed % 2 * 4);
      world.Run();
      if (HasFatalFailure()) FAIL() << "pages " << pages << ", seed " << seed;
    }
  }
}

TEST(ScheduleProperty, PageBudgetHoldsUnderPressure) {
  for (const std::int64_t pages : {12, 23, 40}) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      Budget budget = SmallBudget();
      budget.pages = pages;
      World world(seed, budget, seed % 2 * 4);
      world.Run();
      if (HasFatalFailure()) FAIL() << "pages " << pages << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace hadal
