#include <algorithm>

#include "base/check.h"
#include "sched/schedule.h"

namespace hadal {
namespace {

QueueEntry* FindEntry(QueueState* state, std::uint64_t id) {
  const auto at = std::lower_bound(
      state->entries.begin(), state->entries.end(), id,
      [](const QueueEntry& entry, std::uint64_t wanted) { return entry.id < wanted; });
  return at != state->entries.end() && at->id == id ? &*at : nullptr;
}

QueueEntry& EntryOf(QueueState* state, std::uint64_t id) {
  QueueEntry* entry = FindEntry(state, id);
  HADAL_CHECK(entry != nullptr, "a request that is not there");
  return *entry;
}

// A tenant that comes begins where the others are: it has no claim from the time when it was away.
TenantAccount& Join(QueueState* state, std::uint64_t tenant) {
  const auto found = state->tenants.find(tenant);
  if (found != state->tenants.end()) return found->second;
  std::int64_t rows = state->tenants.empty() ? 0 : std::numeric_limits<std::int64_t>::max();
  for (const auto& [other, account] : state->tenants) rows = std::min(rows, account.rows);
  TenantAccount& joined = state->tenants[tenant];
  joined.rows = rows;
  return joined;
}

void FoldRows(const PlannedRows& planned, const StepResult& result, QueueState* state) {
  QueueEntry& entry = EntryOf(state, planned.id);
  HADAL_CHECK(planned.rows <= entry.pending_tokens, "a plan for another state");
  entry.served_step = state->step;
  entry.cached_tokens += planned.rows;
  entry.pending_tokens -= planned.rows;
  state->tenants.at(entry.tenant).rows += planned.rows + planned.draft_rows;
  if (!planned.sample) return;
  const auto told =
      std::find_if(result.sampled.begin(), result.sampled.end(),
                   [&planned](const Sampled& sampled) { return sampled.id == planned.id; });
  const Sampled sampled = told != result.sampled.end() ? *told : Sampled{planned.id};
  HADAL_CHECK(sampled.tokens >= 1 && sampled.tokens <= 1 + planned.draft_rows,
              "more tokens than rows, or none");
  entry.cached_tokens += sampled.tokens - 1;  // the rows of right guesses stay
  entry.pending_tokens = 1;
  entry.draft_tokens = 0;
  entry.left_tokens -= sampled.tokens;
  if (entry.left_tokens == 0 || sampled.last) Withdraw(state, planned.id);
}

}  // namespace

void Submit(QueueState* state, const QueueEntry& entry) {
  HADAL_CHECK(entry.pending_tokens > 0 && entry.left_tokens > 0, "a request without work");
  HADAL_CHECK(state->entries.empty() || state->entries.back().id < entry.id, "ids ascend");
  Forget(state, entry.sequence);
  state->entries.push_back(entry);
  state->entries.back().arrived_step = state->entries.back().served_step = state->step;
  ++Join(state, entry.tenant).requests;
}

void Attach(QueueState* state, std::uint64_t id, std::int64_t cached_tokens,
            std::int64_t snapshot_at) {
  QueueEntry& entry = EntryOf(state, id);
  HADAL_CHECK(entry.cached_tokens == 0 && cached_tokens < entry.pending_tokens,
              "rows of a request that has some, or nothing left to compute");
  entry.cached_tokens = cached_tokens;
  entry.pending_tokens -= cached_tokens;
  entry.snapshot_at = snapshot_at;
}

void Block(QueueState* state, std::uint64_t id, bool blocked) {
  QueueEntry& entry = EntryOf(state, id);
  HADAL_CHECK(!entry.admitted && entry.cached_tokens == 0, "who has a place or rows goes on");
  entry.blocked = blocked;
}

void Offer(QueueState* state, std::uint64_t id, std::int64_t draft_tokens) {
  EntryOf(state, id).draft_tokens = draft_tokens;
}

void Preempt(QueueState* state, std::uint64_t id) {
  QueueEntry& entry = EntryOf(state, id);
  entry.pending_tokens += entry.cached_tokens;
  entry.cached_tokens = 0;
  entry.admitted = false;
}

void Withdraw(QueueState* state, std::uint64_t id) {
  const QueueEntry* entry = FindEntry(state, id);
  if (entry == nullptr) return;
  state->idle.push_back({entry->sequence, entry->cached_tokens, state->step});
  const auto account = state->tenants.find(entry->tenant);
  if (--account->second.requests == 0) state->tenants.erase(account);
  state->entries.erase(state->entries.begin() + (entry - state->entries.data()));
  state->hold = false;
  if (state->entries.empty()) state->admitted_step.clear();
}

void Forget(QueueState* state, std::uint64_t sequence) {
  std::erase_if(state->idle,
                [sequence](const IdleSequence& idle) { return idle.sequence == sequence; });
}

void Fold(const StepPlan& plan, const StepResult& result, QueueState* state) {
  for (const std::uint64_t sequence : plan.evict) Forget(state, sequence);
  for (const std::uint64_t id : plan.preempt) Preempt(state, id);
  for (const std::uint64_t id : plan.aside) EntryOf(state, id).admitted = false;
  for (const std::uint64_t id : plan.admit) {
    QueueEntry& entry = EntryOf(state, id);
    entry.admitted = true;
    state->tenants.at(entry.tenant).last_admission = ++state->admissions;
    state->admitted_step[entry.priority] = state->step;
  }
  ++state->step;
  if (!result.ran) return;
  for (const PlannedRows& planned : plan.rows) FoldRows(planned, result, state);
}

}  // namespace hadal
