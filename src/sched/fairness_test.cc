// Who is served when: tenants, priorities, places and rows, without a model.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/random.h"
#include "sched/schedule.h"

namespace hadal {
namespace {

Budget FourPlaces() {
  Budget budget;
  budget.step_rows = 32;
  budget.mixed_rows = 16;
  budget.requests = 4;
  budget.page_tokens = 4;
  budget.aging_steps = 20;
  return budget;
}

// A queue and what became of its requests.
class Line {
 public:
  explicit Line(Budget budget = FourPlaces()) : budget_(budget) {}

  std::uint64_t Add(std::uint64_t tenant, std::int64_t prompt, std::int64_t answer,
                    std::int32_t priority = 0) {
    QueueEntry entry;
    entry.id = entry.sequence = next_++;
    entry.tenant = tenant;
    entry.priority = priority;
    entry.pending_tokens = prompt;
    entry.left_tokens = answer;
    Submit(&state, entry);
    tenant_of[entry.id] = tenant;
    return entry.id;
  }
  StepPlan Step() {
    const StepPlan plan = Schedule(state, budget_);
    for (const PlannedRows& rows : plan.rows) rows_of[tenant_of.at(rows.id)] += rows.rows;
    for (const std::uint64_t id : plan.admit) first_place.emplace(id, state.step);
    Fold(plan, {}, &state);
    state.idle.clear();
    return plan;
  }
  bool Waits(std::uint64_t id) const {
    return std::any_of(state.entries.begin(), state.entries.end(),
                       [id](const QueueEntry& entry) { return entry.id == id; });
  }
  // Steps until the request has ended.
  int StepsUntilEnd(std::uint64_t id, int most, const std::function<void()>& between = [] {}) {
    int steps = 0;
    for (; steps < most && Waits(id); ++steps) {
      between();
      Step();
    }
    return steps;
  }

  QueueState state;
  std::map<std::uint64_t, std::uint64_t> tenant_of, first_place;
  std::map<std::uint64_t, std::int64_t> rows_of;

 private:
  Budget budget_;
  std::uint64_t next_ = 1;
};

TEST(Fairness, AFloodDoesNotDelayAnotherTenant) {
  Line line;
  for (int i = 0; i < 500; ++i) line.Add(1, 8, 100);
  for (int i = 0; i < 10; ++i) line.Step();
  const std::uint64_t one = line.Add(2, 8, 5);
  const StepPlan plan = line.Step();
  EXPECT_EQ(plan.admit, std::vector<std::uint64_t>{one});
  EXPECT_EQ(plan.aside.size(), 1u) << "a request of the flood steps aside";
  EXPECT_TRUE(plan.preempt.empty()) << "and keeps its rows";
  EXPECT_LE(line.StepsUntilEnd(one, 100), 8);
}

TEST(Fairness, WhoStepsAsideGoesOnWhereItWas) {
  Line line;
  for (int i = 0; i < 5; ++i) line.Add(1, 8, 50);
  for (int i = 0; i < 20; ++i) line.Step();
  const std::int64_t before = line.state.entries[3].cached_tokens;
  EXPECT_GT(before, 8);
  line.Add(2, 8, 3);
  ASSERT_EQ(line.Step().aside, std::vector<std::uint64_t>{4});
  EXPECT_EQ(line.state.entries[3].cached_tokens, before);
  while (line.Waits(6)) line.Step();
  const StepPlan plan = line.Step();
  EXPECT_EQ(plan.admit, std::vector<std::uint64_t>{4}) << "before number 5, which came later";
  EXPECT_GT(line.state.entries[3].cached_tokens, before);
}

TEST(Fairness, PlacesBecomeEvenAmongTenants) {
  Line line;
  for (int i = 0; i < 100; ++i) line.Add(1, 2, 1000);
  line.Step();
  for (int i = 0; i < 100; ++i) line.Add(2, 2, 1000);
  for (int i = 0; i < 5; ++i) line.Step();
  std::map<std::uint64_t, int> places;
  for (const QueueEntry& entry : line.state.entries) places[entry.tenant] += entry.admitted;
  EXPECT_EQ(places[1], 2);
  EXPECT_EQ(places[2], 2);
  const StepPlan plan = line.Step();
  EXPECT_TRUE(plan.aside.empty()) << "even is even: nobody changes places";
}

TEST(Fairness, PromptRowsAreEvenAmongTenantsNotRequests) {
  Line line;
  for (int i = 0; i < 3; ++i) line.Add(1, 10000, 1);
  line.Add(2, 10000, 1);
  for (int i = 0; i < 50; ++i) line.Step();
  EXPECT_NEAR(static_cast<double>(line.rows_of[1]), static_cast<double>(line.rows_of[2]), 110.0);
}

TEST(Fairness, AnIdleTenantHasNoClaimFromBefore) {
  Line line;
  const std::uint64_t first = line.Add(1, 4000, 1);
  line.Add(2, 40000, 1);
  line.StepsUntilEnd(first, 1000);
  for (int i = 0; i < 50; ++i) line.Step();
  const std::int64_t own = line.rows_of[2], others = line.rows_of[1];
  line.Add(1, 40000, 1);
  for (int i = 0; i < 20; ++i) line.Step();
  EXPECT_NEAR(static_cast<double>(line.rows_of[2] - own),
              static_cast<double>(line.rows_of[1] - others), 40.0);
}

TEST(Priority, TheHigherOneGoesFirst) {
  Line line;
  for (int i = 0; i < 20; ++i) line.Add(1, 8, 40);
  line.Step();
  const std::uint64_t urgent = line.Add(1, 8, 5, 1);
  const StepPlan plan = line.Step();
  EXPECT_EQ(plan.admit, std::vector<std::uint64_t>{urgent});
  EXPECT_EQ(plan.aside, std::vector<std::uint64_t>{4}) << "of its own tenant, the last one";
  EXPECT_LE(line.StepsUntilEnd(urgent, 100), 8);
}

TEST(Priority, PromptsOfTheHigherOneGetMostRows) {
  Line line;
  line.Add(1, 10000, 1, 0);
  line.Add(2, 10000, 1, 3);
  for (int i = 0; i < 40; ++i) line.Step();
  EXPECT_GT(line.rows_of[2], 2 * line.rows_of[1]);
  EXPECT_GT(line.rows_of[1], 40) << "but never all";
}

// A stream of urgent requests that would fill every place for ever.
TEST(Priority, ALowOneIsNotStarved) {
  Line line;
  Random random(3);
  const auto urgent = [&] {
    while (line.state.entries.size() < 12)
      line.Add(1 + random.Below(4), 4, static_cast<std::int64_t>(5 + random.Below(20)), 5);
  };
  urgent();
  for (int i = 0; i < 20; ++i) line.Step();
  const std::uint64_t low = line.Add(9, 30, 30, -5);
  EXPECT_LT(line.StepsUntilEnd(low, 5000, urgent), 5000);
}

// The same with so few pages that those in place take them from each other.
TEST(Priority, ALowOneIsNotStarvedOfPages) {
  Budget budget = FourPlaces();
  budget.pages = 20;
  Line line(budget);
  Random random(4);
  const auto urgent = [&] {
    while (line.state.entries.size() < 12)
      line.Add(1 + random.Below(4), 4, static_cast<std::int64_t>(5 + random.Below(40)), 5);
  };
  urgent();
  for (int i = 0; i < 20; ++i) line.Step();
  const std::uint64_t low = line.Add(9, 30, 30, -5);
  EXPECT_LT(line.StepsUntilEnd(low, 20000, urgent), 20000);
}

TEST(Priority, PagesAreTakenFromTheLowerOne) {
  Budget budget = FourPlaces();
  budget.pages = 12;
  Line line(budget);
  line.Add(1, 8, 30, 0);  // arrives first
  line.Add(2, 8, 30, 1);
  std::set<std::uint64_t> preempted;
  for (int i = 0; i < 60 && preempted.empty(); ++i)
    for (const std::uint64_t id : line.Step().preempt) preempted.insert(id);
  EXPECT_EQ(preempted, std::set<std::uint64_t>{1});
}

TEST(Hold, NobodyComesInUntilSomebodyEnds) {
  Line line;
  line.Add(1, 4, 6);
  line.Step();
  line.state.hold = true;
  const std::uint64_t second = line.Add(2, 4, 6);
  EXPECT_TRUE(line.Step().admit.empty());
  while (line.Waits(1)) line.Step();
  EXPECT_EQ(line.Step().admit, std::vector<std::uint64_t>{second});
}

TEST(Hold, SomebodyIsAlwaysInPlace) {
  Line line;
  line.Add(1, 4, 6);
  line.Add(1, 4, 6);
  line.state.hold = true;
  EXPECT_EQ(line.Step().admit.size(), 1u);
}

TEST(Block, OthersPassUntilItIsOver) {
  Line line;
  const std::uint64_t first = line.Add(1, 4, 3), second = line.Add(1, 4, 3);
  Block(&line.state, first, true);
  EXPECT_EQ(line.Step().admit, std::vector<std::uint64_t>{second});
  while (line.Waits(second)) EXPECT_TRUE(line.Step().preempt.empty());
  EXPECT_TRUE(Schedule(line.state, FourPlaces()).empty());
  Block(&line.state, first, false);
  EXPECT_EQ(line.Step().admit, std::vector<std::uint64_t>{first});
}

TEST(Attach, RowsOfAKnownPrefixAreNotComputed) {
  Line line;
  const std::uint64_t id = line.Add(1, 20, 2);
  Attach(&line.state, id, 17);
  const StepPlan plan = line.Step();
  ASSERT_EQ(plan.rows.size(), 1u);
  EXPECT_EQ(plan.rows[0].rows, 3);
  EXPECT_TRUE(plan.rows[0].sample);
}

TEST(Attach, KnownPrefixesGiveTheirPagesBackFirst) {
  Budget budget = FourPlaces();
  budget.pages = 10;
  Line line(budget);
  line.Add(1, 20, 2);
  line.state.idle = {{77, 4, 0}};
  line.state.kept_pages = 7;
  const StepPlan plan = Schedule(line.state, budget);
  EXPECT_EQ(plan.release, 3);
  EXPECT_TRUE(plan.evict.empty());
}

// The slowest of many equal tenants is about as fast as the fastest, whatever else each asks for.
TEST(Fairness, EqualTenantsAreServedAlike) {
  Line line;
  Random random(9);
  std::map<std::uint64_t, std::int64_t> ended;
  for (int step = 0; step < 4000; ++step) {
    for (std::uint64_t tenant = 1; tenant <= 8; ++tenant) {
      // One keeps 20 in the line, the others two.
      const std::size_t wanted = tenant == 1 ? 20 : 2;
      std::size_t there = 0;
      for (const QueueEntry& entry : line.state.entries) there += entry.tenant == tenant;
      for (; there < wanted; ++there)
        line.Add(tenant, static_cast<std::int64_t>(1 + random.Below(30)), 10);
    }
    const std::size_t before = line.state.entries.size();
    std::set<std::uint64_t> ids;
    for (const QueueEntry& entry : line.state.entries) ids.insert(entry.id);
    line.Step();
    ASSERT_LE(line.state.entries.size(), before);
    for (const QueueEntry& entry : line.state.entries) ids.erase(entry.id);
    for (const std::uint64_t id : ids) ++ended[line.tenant_of.at(id)];
  }
  std::int64_t fewest = ended[1], most = ended[1];
  for (const auto& [tenant, count] : ended) {
    fewest = std::min(fewest, count);
    most = std::max(most, count);
  }
  EXPECT_GT(fewest, 100);
  EXPECT_LE(most * 10, fewest * 11);
}

}  // namespace
}  // namespace hadal
