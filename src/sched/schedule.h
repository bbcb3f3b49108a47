// Continuous batching as a pure function: which rows of which sequences the next step computes.
//
// Schedule reads plain numbers and answers with a plan; the engine runs the plan; Fold writes what
// came of it into the numbers. No model, no clock, no threads, so every property (nobody starves,
// budgets hold, nothing is lost) is tested without a model. Tokens do not depend on any decision
// taken here (docs/architecture.md section 5); only time does.
//
// The rules:
//  - Every admitted request gets at least one row in every step; what is left of the row budget is
//    shared evenly among the tenants that have more tokens waiting (prompts), and a tenant's part
//    among its requests. Three quarters go to the highest priority where lower ones want rows too.
//    While anything decodes, the row budget is the smaller `mixed_rows`, which bounds the time
//    between two tokens of an answer.
//  - A step of a prompt ends where a snapshot is wanted, which costs at most one step more each.
//  - Places are given by priority, then to the tenant with the fewest requests in place, then in
//    order of arrival, when pages for all known tokens are free. A priority that has waited for
//    `aging_steps` without a place gets the next one. Where all places are taken, a request of a
//    tenant with more of them steps aside for one with fewer, and a lower priority for a higher
//    one; it keeps its pages and goes on from there.
//  - Where pages run out, those of known prefixes go first, then those of idle sequences (least
//    recently used first), then the request that stands last gives its pages back and starts again
//    from its tokens. The order is that of arrival, a level of priority counting as `aging_steps`
//    of waiting. The first never gives way, so it always ends, and so does every other.
//  - A draft (guesses of the tokens after the last one) gets rows and pages that nobody else asked
//    for: it never makes a prompt wait, and nothing is given up for it.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <vector>

namespace hadal {

// One request. Token counts only.
struct QueueEntry {
  std::uint64_t id = 0;            // ascending in order of arrival
  std::uint64_t sequence = 0;      // the timeline that it extends; one request a timeline at a time
  std::int64_t cached_tokens = 0;  // rows that its cache holds
  std::int64_t pending_tokens =
      0;                          // known tokens without a row yet: of the prompt, or the last one
  std::int64_t left_tokens = 0;   // tokens that may still be sampled, at least 1
  std::int64_t draft_tokens = 0;  // guesses that could go along with the last pending token
  std::int64_t snapshot_at = 0;   // a length at which a step should end; 0: none
  std::uint64_t tenant = 0;       // who asks
  std::int32_t priority = 0;      // higher first
  bool admitted = false;
  bool blocked = false;  // waits for something else than a place: gets none
  std::uint64_t arrived_step = 0;
  std::uint64_t served_step = 0;  // the last step that had rows of it
};

// A timeline between two requests; its pages are kept for the next one.
struct IdleSequence {
  std::uint64_t sequence = 0;
  std::int64_t cached_tokens = 0;
  std::uint64_t used_step = 0;
};

// What a tenant with requests has had.
struct TenantAccount {
  std::int64_t requests = 0;
  std::uint64_t last_admission = 0;  // its number among all
  std::int64_t rows = 0;             // computed for it, since all present tenants began at 0
};

struct QueueState {
  std::uint64_t step = 0;
  std::vector<QueueEntry> entries;  // ascending ids
  std::vector<IdleSequence> idle;
  std::int64_t kept_pages = 0;  // of known prefixes: nobody's in particular
  bool hold = false;            // no admissions beside those in place, until a request ends
  std::map<std::uint64_t, TenantAccount> tenants;       // those that have requests
  std::uint64_t admissions = 0;                         // so far
  std::map<std::int32_t, std::uint64_t> admitted_step;  // the last one of a priority
};

struct Budget {
  std::int64_t step_rows = 512;   // most rows of one step
  std::int64_t mixed_rows = 128;  // the same while a request decodes
  std::int64_t requests = 64;     // most admitted at a time; at most mixed_rows
  std::int64_t page_tokens = 64;  // rows of a page
  std::int64_t pages = std::numeric_limits<std::int64_t>::max();  // of the whole pool
  std::int64_t sequence_pages = 0;  // of a timeline that holds any row, whatever its length
  // Where windows are forgotten: a timeline takes a snapshot when a step ends on a multiple of
  // snapshot_alignment (0: it needs none), and should take one at every multiple of snapshot_tokens
  // and at the last place that its known tokens allow.
  std::int64_t snapshot_alignment = 0;
  std::int64_t snapshot_tokens = 0;  // a multiple of the alignment
  std::int64_t aging_steps = 256;    // what a level of priority is worth
};

struct PlannedRows {
  std::uint64_t id = 0;
  std::int64_t rows = 0;        // the next `rows` pending tokens
  bool sample = false;          // they are the last pending ones: a token follows
  std::int64_t draft_rows = 0;  // where a token follows: rows of guesses after them
};

// What the engine does, in this order: forget the pages of `release`, `evict` and `preempt`, then
// one step.
struct StepPlan {
  std::int64_t release = 0;            // pages of known prefixes
  std::vector<std::uint64_t> evict;    // sequences of idle timelines
  std::vector<std::uint64_t> preempt;  // ids of requests that start again from their tokens
  std::vector<std::uint64_t> aside;    // ids of requests that lose their place and nothing else
  std::vector<std::uint64_t> admit;    // ids
  std::vector<PlannedRows> rows;       // ascending ids

  bool empty() const {
    return release == 0 && evict.empty() && preempt.empty() && aside.empty() && rows.empty();
  }
};

// What a sampling request got out of a step.
struct Sampled {
  std::uint64_t id = 0;
  std::int64_t tokens = 1;  // chosen: the guesses that were right, and one more
  bool last = false;        // the answer ends with them
};

// What came of a plan. A step that did not run leaves the rows as they were.
struct StepResult {
  bool ran = true;
  std::vector<Sampled> sampled;  // those of the plan that sample; one token where it is not named
};

// Pages that a timeline of `tokens` rows needs.
std::int64_t PagesOf(std::int64_t tokens, const Budget& budget);

// A request that could never be served, whatever else ends, has more pages than there are.
bool CanEverFit(std::int64_t total_tokens, const Budget& budget);

// Adds a request (its timeline is idle or new; CanEverFit holds for all its tokens). Ids ascend.
void Submit(QueueState* state, const QueueEntry& entry);
// A request that waits without rows turns out to have some: the first `cached_tokens` of its
// pending tokens, less than all of them.
void Attach(QueueState* state, std::uint64_t id, std::int64_t cached_tokens,
            std::int64_t snapshot_at = 0);
// Whether a request that has neither a place nor rows is to be passed over.
void Block(QueueState* state, std::uint64_t id, bool blocked);
// How many guesses there are for a request that waits for its next token; until its next step.
void Offer(QueueState* state, std::uint64_t id, std::int64_t draft_tokens);
// A request gives its rows and its place back and starts again from its tokens.
void Preempt(QueueState* state, std::uint64_t id);
// Takes a request out, at any point; its timeline becomes idle with the rows that it has.
void Withdraw(QueueState* state, std::uint64_t id);
// Forgets a timeline, whose pages are gone.
void Forget(QueueState* state, std::uint64_t sequence);

StepPlan Schedule(const QueueState& state, const Budget& budget);
void Fold(const StepPlan& plan, const StepResult& result, QueueState* state);

}  // namespace hadal
