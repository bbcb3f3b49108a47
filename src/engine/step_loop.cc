#include "engine/step_loop.h"

#include <algorithm>
#include <cmath>

#include "spec/model_spec.h"

namespace hadal {
namespace {

// Requests of one step at most; each gets a row in every step.
constexpr std::int64_t kMostRequests = 64;
// Prompt rows beside rows that decode: bounds the time between two tokens of an answer.
constexpr std::int64_t kMixedRows = 128;

Budget BudgetOf(const Model& model) {
  Budget budget;
  budget.step_rows = model.options().step_tokens;
  budget.mixed_rows = std::min(budget.step_rows, kMixedRows);
  budget.requests = std::min(budget.mixed_rows, kMostRequests);
  budget.page_tokens = kPageTokens;
  const CacheLayout& layout = model.cache_layout();
  budget.snapshot_alignment = layout.snapshot_alignment;
  budget.snapshot_tokens = layout.snapshot_tokens;
  const CacheCost cost = model.cache_cost();
  const auto page_bytes = static_cast<std::uint64_t>(
      std::ceil(cost.bytes_per_token() * static_cast<double>(kPageTokens)));
  const std::uint64_t bytes = model.options().cache_budget_bytes;
  if (bytes == 0 || page_bytes == 0) return budget;
  budget.pages = static_cast<std::int64_t>((bytes - std::min(bytes, cost.step_bytes)) / page_bytes);
  budget.sequence_pages =
      static_cast<std::int64_t>((cost.sequence_bytes + page_bytes - 1) / page_bytes);
  return budget;
}

std::int64_t CommonPrefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return end - a.begin();
}

}  // namespace

StepLoop::StepLoop(std::shared_ptr<Model> model, std::unique_ptr<Draft> draft,
                   std::int64_t draft_tokens)
    : model_(std::move(model)),
      draft_(std::move(draft)),
      draft_tokens_(draft_ == nullptr ? 0
                                      : std::min({draft_tokens, kMostDraftTokens,
                                                  model_->cache_layout().rollback_tokens})),
      budget_(BudgetOf(*model_)),
      thread_([this] { Work(); }) {}

StepLoop::~StepLoop() {
  HADAL_CHECK(std::this_thread::get_id() != thread_.get_id(), "a sink holds the last engine");
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::int64_t StepLoop::most_tokens() const {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t pages = std::max<std::int64_t>(budget_.pages - budget_.sequence_pages, 0);
  return pages > kLargest / budget_.page_tokens ? kLargest : pages * budget_.page_tokens;
}

std::uint64_t StepLoop::NewSequence() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return next_sequence_++;
}

void StepLoop::Release(std::uint64_t sequence) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    released_.push_back(sequence);
  }
  wake_.notify_one();
}

void StepLoop::Submit(Request request) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    request.own_sequence = request.sequence == 0;
    if (request.own_sequence) request.sequence = next_sequence_++;
    arrived_.push_back(std::move(request));
  }
  wake_.notify_one();
}

void StepLoop::Work() {
  while (TakeOrders()) {
    DropCancelled();
    if (!queue_.entries.empty()) Step();
  }
  while (!active_.empty())
    Finish(active_.begin()->first, Status(Code::kCancelled, "engine", "closed", "", ""));
  sequences_.clear();
}

bool StepLoop::TakeOrders() {
  std::vector<Request> arrived;
  std::vector<std::uint64_t> released;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait(lock, [this] {
      return stop_ || !arrived_.empty() || !released_.empty() || !queue_.entries.empty();
    });
    arrived.swap(arrived_);
    released.swap(released_);
    if (stop_) {
      // Those that have not begun are told as well.
      for (Request& request : arrived) Accept(std::move(request));
      return false;
    }
  }
  for (const std::uint64_t sequence : released) {
    Forget(&queue_, sequence);
    sequences_.erase(sequence);
  }
  for (Request& request : arrived) Accept(std::move(request));
  return true;
}

void StepLoop::Accept(Request request) {
  std::unique_ptr<SequenceCache>& cache = sequences_[request.sequence];
  if (cache == nullptr) cache = model_->NewSequence();
  const auto prompt_tokens = static_cast<std::int64_t>(request.prompt.size());
  // The last prompt token is always computed: its logits are where the answer begins.
  std::int64_t known = std::min(CommonPrefix(cache->ids(), request.prompt), prompt_tokens - 1);
  if (draft_ != nullptr) known = std::max<std::int64_t>(0, known - draft_->rows_tied_to_next());
  const std::int64_t held = cache->Truncate(known);

  QueueEntry entry;
  entry.id = next_id_++;
  entry.sequence = request.sequence;
  entry.cached_tokens = held;
  entry.pending_tokens = prompt_tokens - held;
  entry.left_tokens = request.max_tokens;
  ::hadal::Submit(&queue_, entry);
  request.task->Resume(held, known - held);
  request.task->Progress(held, prompt_tokens);
  active_[entry.id] = {request.sequence,
                       cache.get(),
                       std::move(request.prompt),
                       prompt_tokens,
                       std::move(request.task),
                       DraftPace(draft_tokens_),
                       {},
                       request.own_sequence};
}

void StepLoop::DropCancelled() {
  std::vector<std::uint64_t> dropped;
  for (const auto& [id, request] : active_)
    if (request.task->cancelled()) dropped.push_back(id);
  for (const std::uint64_t id : dropped)
    Finish(id, Status(Code::kCancelled, "request", "cancelled", "", ""));
}

void StepLoop::Finish(std::uint64_t id, const Status& status) {
  Withdraw(&queue_, id);
  const auto found = active_.find(id);
  const std::shared_ptr<StepTask> task = std::move(found->second.task);
  found->second.cache->KeepSnapshot();
  if (found->second.own_sequence) {
    Forget(&queue_, found->second.sequence);
    sequences_.erase(found->second.sequence);
  }
  active_.erase(found);
  task->End(status);  // last: the session may send its next request at once
}

void StepLoop::Step() {
  for (const auto& [id, request] : active_) Offer(&queue_, id, std::ssize(request.guesses));
  const StepPlan plan = Schedule(queue_, budget_);
  HADAL_CHECK(!plan.empty(), "requests, and nothing planned for any of them");
  for (const std::uint64_t sequence : plan.evict) sequences_.at(sequence)->Clear();
  for (const std::uint64_t id : plan.preempt) active_.at(id).cache->Clear();
  StepResult result;
  std::span<const float> logits;
  const Status status =
      plan.rows.empty() ? Status() : RunPlan(plan, active_, model_.get(), &logits);
  result.ran = status.ok();
  if (!status.ok()) {
    Fold(plan, result, &queue_);
    RunOutOfMemory(plan, status);
    return;
  }
  std::map<std::uint64_t, Status> failed;
  Distribute(plan, logits, &result, &failed);
  GuessNext(plan, result, failed);
  Fold(plan, result, &queue_);
  for (const auto& [id, reason] : failed) {
    // What a broken step left in the cache must not serve the next turn.
    Forget(&queue_, active_.at(id).sequence);
    active_.at(id).cache->Clear();
    Finish(id, reason);
  }
  // The scheduler took out those that ended and those that reached their last token.
  for (const PlannedRows& planned : plan.rows) {
    const bool waits =
        std::any_of(queue_.entries.begin(), queue_.entries.end(),
                    [&planned](const QueueEntry& entry) { return entry.id == planned.id; });
    if (!waits && active_.count(planned.id) > 0) Finish(planned.id, {});
  }
}

// The model had no memory although the page budget allowed the step: guesses are dropped, then idle
// timelines give theirs back, and if there is neither, the newest request of the step is given up.
void StepLoop::RunOutOfMemory(const StepPlan& plan, const Status& status) {
  bool guessed = false;
  for (const PlannedRows& planned : plan.rows) {
    guessed |= planned.draft_rows > 0;
    active_.at(planned.id).guesses.clear();
  }
  if (guessed && status.code() == Code::kNoRoom) return;
  if (!queue_.idle.empty() && status.code() == Code::kNoRoom) {
    for (const IdleSequence& idle : queue_.idle) sequences_.at(idle.sequence)->Clear();
    queue_.idle.clear();
    return;
  }
  const std::uint64_t newest = plan.rows.back().id;
  Finish(newest, status);
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
    HADAL_ASSIGN_OR_RETURN(
        const StepTask::Choice choice,
        request->task->Choose(
            logits.subspan(static_cast<std::size_t>(sampled.tokens) * vocabulary, vocabulary),
            static_cast<std::int64_t>(request->tokens.size())));
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
    const std::int64_t rows = request.cache->length() - planned.draft_rows;
    if (rows <= request.prompt_tokens) request.task->Progress(rows, request.prompt_tokens);
    if (!planned.sample) continue;
    // The prompt is where a next turn that takes the answer back, or rewrites it, comes back to.
    if (rows == request.prompt_tokens) request.cache->KeepSnapshot();
    const std::size_t count = vocabulary * static_cast<std::size_t>(1 + planned.draft_rows);
    const auto sampled = ChooseTokens(planned, logits.first(count), &request);
    logits = logits.subspan(count);
    if (!sampled.ok()) failed->emplace(planned.id, sampled.status());
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
  draft_->Guess(asked);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    requests[i]->guesses = std::move(asked[i].guesses);
    HADAL_CHECK(std::ssize(requests[i]->guesses) <= asked[i].most, "more guesses than wanted");
  }
}

}  // namespace hadal
