// One step of the loop: what the scheduler planned is run, and everybody gets what is theirs.
#include <algorithm>
#include <chrono>
#include <new>

#include "engine/step_loop.h"
#include "spec/model_spec.h"

namespace hadal {
namespace {

// What is thrown at us ends where it can be said what it was about.
template <typename Work>
auto Guarded(const char* where, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return NoRoom(where, "no memory", "memory for the step", "close other programs");
  } catch (const std::exception& thrown) {
    return Failed(where, thrown.what(), "no exception",
                  "this is a fault of ours: please report it");
  }
}

std::int64_t Nanoseconds(std::chrono::steady_clock::time_point time) {
  return time.time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace

void StepLoop::Step() {
  for (const auto& [id, request] : active_) Offer(&queue_, id, std::ssize(request.guesses));
  const StepPlan plan = Plan();
  const bool blocked = std::all_of(queue_.entries.begin(), queue_.entries.end(),
                                   [](const QueueEntry& entry) { return entry.blocked; });
  HADAL_CHECK(!plan.empty() || blocked, "requests, and nothing planned for any of them");
  GiveBack(plan);
  if (plan.rows.empty()) {
    Fold(plan, {}, &queue_);
    return;
  }
  std::span<const float> logits;
  const Status status = Compute(plan, &logits);
  if (status.ok()) {
    TakeResults(plan, logits);
    return;
  }
  StepResult result;
  result.ran = false;
  Fold(plan, result, &queue_);
  if (status.code() == Code::kNoRoom)
    RunOutOfMemory(plan, status);
  else
    RunApart(plan, status);
}

// The scheduler's plan, where those that get a place begin with what is known of their tokens.
StepPlan StepLoop::Plan() {
  queue_.kept_pages = 0;
  if (prefixes_ != nullptr && page_bytes_ > 0)
    queue_.kept_pages =
        static_cast<std::int64_t>((prefixes_->held_bytes() + page_bytes_ - 1) / page_bytes_);
  StepPlan plan = Schedule(queue_, budget_);
  while (AttachPrefixes(plan)) plan = Schedule(queue_, budget_);
  for (const std::uint64_t id : plan.admit) {
    ActiveRequest& request = active_.at(id);
    if (!request.begun) Begin(&request);
  }
  return plan;
}

// Looks once for each that gets a place without having rows: it begins with what memory knows, or
// waits for what the disk knows. True where one was looked for: then the plan is out of date.
bool StepLoop::AttachPrefixes(const StepPlan& plan) {
  if (prefixes_ == nullptr) return false;
  bool found = false;
  for (const std::uint64_t id : plan.admit) {
    ActiveRequest& request = active_.at(id);
    if (!request.own_sequence || request.looked_up || request.cache->length() > 0) continue;
    found = true;
    const std::int64_t most = std::ssize(request.tokens) - 1;
    if (!std::exchange(request.asked_disk, true) &&
        prefixes_->Load(id, request.space, request.tokens, most)) {
      Block(&queue_, id, true);
      continue;
    }
    request.looked_up = true;
    const Prefixes::Start start =
        prefixes_->Begin(request.space, request.tokens, most, request.cache);
    Attach(&queue_, id, start.cached_tokens, start.snapshot_at);
    if (!request.begun) request.known = start;
    request.snapshot_at = start.snapshot_at;
    request.most_rows = std::max(request.most_rows, start.cached_tokens);
  }
  return found;
}

void StepLoop::Begin(ActiveRequest* request) {
  request->begun = true;
  bound_.Leave(request->tenant, request->prompt_tokens);
  const auto& [cached, replayed, snapshot_at] = request->known;
  request->most_rows = cached;
  counted_.prompt_tokens += request->prompt_tokens;
  counted_.prompt_tokens_cached += cached;
  counted_.prompt_tokens_replayed += replayed;
  request->task->Resume(cached, replayed);
  request->task->Progress(cached, request->prompt_tokens);
}

void StepLoop::GiveBack(const StepPlan& plan) {
  if (plan.release > 0) {
    const std::uint64_t held = prefixes_->held_bytes();
    const std::uint64_t bytes = static_cast<std::uint64_t>(plan.release) * page_bytes_;
    prefixes_->ShrinkTo(held - std::min(held, bytes));
  }
  for (const std::uint64_t sequence : plan.evict) sequences_.at(sequence)->Clear();
  for (const std::uint64_t id : plan.preempt) {
    ActiveRequest& request = active_.at(id);
    request.cache->Clear();
    request.looked_up = false;
  }
  counted_.preemptions += std::ssize(plan.preempt);
  counted_.set_aside += std::ssize(plan.aside);
}

Status StepLoop::Compute(const StepPlan& plan, std::span<const float>* logits) {
  const auto begin = std::chrono::steady_clock::now();
  step_began_.store(Nanoseconds(begin), std::memory_order_relaxed);
  const Status status = Guarded(
      "step", [&] { return RunPlan(plan, active_, model_.get(), experts_.observer(), logits); });
  step_began_.store(0, std::memory_order_relaxed);
  ++counted_.steps;
  counted_.step_seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return status;
}

void StepLoop::TakeResults(const StepPlan& plan, std::span<const float> logits) {
  StepResult result;
  std::map<std::uint64_t, Status> failed;
  Distribute(plan, logits, &result, &failed);
  GuessNext(plan, result, failed);
  Fold(plan, result, &queue_);
  for (const auto& [id, reason] : failed) {
    if (reason.code() == Code::kDeadEnd)
      Finish(id, reason);  // the rows are as good as any
    else
      Break(id, reason);
  }
  // The scheduler took out those that ended and those that reached their last token.
  for (const PlannedRows& planned : plan.rows) {
    const bool waits =
        std::any_of(queue_.entries.begin(), queue_.entries.end(),
                    [&planned](const QueueEntry& entry) { return entry.id == planned.id; });
    if (!waits && active_.count(planned.id) > 0) Finish(planned.id, {});
  }
}

// The model had no memory although the page budget allowed the step. Given back are, one after
// another until it suffices: guesses; known prefixes; idle timelines; the pages of the newest
// request, which starts again from its tokens once another has ended. A request that is alone, and
// finds no memory all the same, is given up.
void StepLoop::RunOutOfMemory(const StepPlan& plan, const Status& status) {
  ++counted_.out_of_memory;
  bool guessed = false;
  for (const PlannedRows& planned : plan.rows) {
    guessed |= planned.draft_rows > 0;
    active_.at(planned.id).guesses.clear();
  }
  if (guessed) return;
  if (prefixes_ != nullptr && prefixes_->held_bytes() > 0) {
    prefixes_->ShrinkTo(prefixes_->held_bytes() / 2);
    return;
  }
  if (!queue_.idle.empty()) {
    for (const IdleSequence& idle : queue_.idle) sequences_.at(idle.sequence)->Clear();
    queue_.idle.clear();
    return;
  }
  queue_.hold = true;
  for (auto entry = queue_.entries.rbegin(); entry != queue_.entries.rend(); ++entry) {
    const bool alone = plan.rows.size() == 1 && entry->id == plan.rows.front().id;
    if (alone || (entry->cached_tokens == 0 && !entry->admitted)) continue;
    ActiveRequest& request = active_.at(entry->id);
    request.cache->Clear();
    request.looked_up = false;
    ++counted_.preemptions;
    Preempt(&queue_, entry->id);
    return;
  }
  Finish(plan.rows.back().id, status);
}

// The step failed, and nobody knows whose fault it was: each request gets a step of its own.
void StepLoop::RunApart(const StepPlan& plan, const Status& status) {
  if (plan.rows.size() == 1) {
    Break(plan.rows.front().id, status);
    return;
  }
  for (const PlannedRows& planned : plan.rows) {
    StepPlan alone;
    alone.rows.push_back(planned);
    std::span<const float> logits;
    const Status own = Compute(alone, &logits);
    if (own.ok())
      TakeResults(alone, logits);
    else if (own.code() != Code::kNoRoom)  // for want of memory the next step does what is needed
      Break(planned.id, own);
  }
}

// Which of the planned rows are new, and which were thrown away before.
void StepLoop::CountRows(const PlannedRows& planned, ActiveRequest* request) {
  const std::int64_t end = request->cache->length() - planned.draft_rows;
  const std::int64_t begin = end - planned.rows;
  counted_.prompt_tokens_computed += std::max<std::int64_t>(
      0, std::min(end, request->prompt_tokens) - std::max(begin, request->most_rows));
  counted_.recomputed_tokens +=
      std::max<std::int64_t>(0, std::min(end, request->most_rows) - begin);
  request->most_rows = std::max(request->most_rows, end);
}

namespace {

// The target chooses as long as the guesses are right, from one row of logits after another. What
// was guessed wrong leaves the cache.
Result<Sampled> ChooseTokens(const PlannedRows& planned, std::span<const float> logits,
                             ActiveRequest* request) {
  const std::size_t vocabulary = logits.size() / static_cast<std::size_t>(1 + planned.draft_rows);
  Sampled sampled{planned.id, 0, false};
  std::int64_t right = 0;
  for (bool more = true; more;) {
    const auto row =
        logits.subspan(static_cast<std::size_t>(sampled.tokens) * vocabulary, vocabulary);
    const auto chosen = Guarded("answer", [&]() -> Result<StepTask::Choice> {
      return request->task->Choose(row, std::ssize(request->tokens));
    });
    if (!chosen.ok()) {
      request->cache->Truncate(std::min(request->cache->length(), std::ssize(request->tokens)));
      return chosen.status();
    }
    const StepTask::Choice choice = *chosen;
    request->tokens.push_back(choice.token);
    sampled.last = choice.last;
    const bool guessed = sampled.tokens < planned.draft_rows &&
                         choice.token == request->guesses[static_cast<std::size_t>(sampled.tokens)];
    right += guessed;
    ++sampled.tokens;
    more = guessed && !choice.last;
  }
  const std::int64_t kept = std::ssize(request->tokens) - 1;
  HADAL_CHECK(request->cache->Truncate(kept) == kept, "more guesses than the cache takes back");
  request->pace.Note(planned.draft_rows, right);
  request->task->Drafted(planned.draft_rows, right);
  return sampled;
}

}  // namespace

// Gives every sampling request its rows of logits. Those whose answer is complete, or whose row
// went wrong, are finished.
void StepLoop::Distribute(const StepPlan& plan, std::span<const float> logits, StepResult* result,
                          std::map<std::uint64_t, Status>* failed) {
  const auto vocabulary = static_cast<std::size_t>(model_->spec().vocabulary);
  for (const PlannedRows& planned : plan.rows) {
    ActiveRequest& request = active_.at(planned.id);
    CountRows(planned, &request);
    const std::int64_t rows = request.cache->length() - planned.draft_rows;
    const bool keep = prefixes_ != nullptr && request.own_sequence;
    using Until = Prefixes::Until;
    if (keep && rows == request.snapshot_at)
      prefixes_->Keep(request.space, *request.cache, Until::kRestart);
    if (rows <= request.prompt_tokens) request.task->Progress(rows, request.prompt_tokens);
    if (!planned.sample) continue;
    // The prompt is where a next turn that takes the answer back, or rewrites it, comes back to.
    if (rows == request.prompt_tokens) request.cache->KeepSnapshot();
    const std::size_t count = vocabulary * static_cast<std::size_t>(1 + planned.draft_rows);
    const auto sampled = ChooseTokens(planned, logits.first(count), &request);
    logits = logits.subspan(count);
    if (!sampled.ok()) failed->emplace(planned.id, sampled.status());
    // Only now is it certain that the prompt's rows are sound.
    if (sampled.ok() && keep && rows == request.prompt_tokens)
      prefixes_->Keep(request.space, *request.cache, Until::kMemoryNeedsIt);
    request.most_rows = std::max(request.most_rows, request.cache->length());
    if (sampled.ok()) {
      counted_.generated_tokens += sampled->tokens;
      counted_.draft_tokens += planned.draft_rows;
      counted_.accepted_draft_tokens += sampled->tokens - 1;
    }
    result->sampled.push_back(sampled.ok() ? *sampled : Sampled{planned.id, 1, true});
  }
}

// Shows the draft what the step computed and keeps its guesses for the next one.
void StepLoop::GuessNext(const StepPlan& plan, const StepResult& result,
                         const std::map<std::uint64_t, Status>& failed) {
  if (draft_ == nullptr) return;
  std::vector<DraftRequest> asked;
  std::vector<ActiveRequest*> requests;  // beside asked
  std::int64_t step_row = 0;
  auto sampled = result.sampled.begin();
  for (const PlannedRows& planned : plan.rows) {
    ActiveRequest& request = active_.at(planned.id);
    DraftRequest ask{request.cache, request.tokens, step_row, planned.rows, 0, {}};
    step_row += planned.rows + planned.draft_rows;
    if (planned.sample) {
      ask.rows += sampled->tokens - 1;
      if (!sampled->last) ask.most = request.pace.Wanted();
      ++sampled;
    }
    if (failed.count(planned.id) > 0) continue;
    asked.push_back(std::move(ask));
    requests.push_back(&request);
  }
  const Status guessed = Guarded("draft", [&] {
    draft_->Guess(asked);
    return Status();
  });
  if (!guessed.ok()) return;  // none this time
  for (std::size_t i = 0; i < asked.size(); ++i) {
    requests[i]->guesses = std::move(asked[i].guesses);
    HADAL_CHECK(std::ssize(requests[i]->guesses) <= asked[i].most, "more guesses than wanted");
  }
}

}  // namespace hadal
