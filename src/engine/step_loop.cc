#include "engine/step_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cache/token_tree.h"
#include "spec/model_spec.h"

namespace hadal {
namespace {

// Requests of one step at most; each gets a row in every step.
constexpr std::int64_t kMostRequests = 64;
// Prompt rows beside rows that decode: bounds the time between two tokens of an answer.
constexpr std::int64_t kMixedRows = 128;

std::uint64_t PageBytes(const Model& model) {
  return static_cast<std::uint64_t>(
      std::ceil(model.cache_cost().bytes_per_token() * static_cast<double>(kPageTokens)));
}

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
  const std::uint64_t page_bytes = PageBytes(model);
  const std::uint64_t bytes = model.options().cache_budget_bytes;
  if (bytes == 0 || page_bytes == 0) return budget;
  budget.pages = static_cast<std::int64_t>((bytes - std::min(bytes, cost.step_bytes)) / page_bytes);
  budget.sequence_pages =
      static_cast<std::int64_t>((cost.sequence_bytes + page_bytes - 1) / page_bytes);
  return budget;
}

}  // namespace

StepLoop::StepLoop(std::shared_ptr<Model> model, const StepLoopOptions& options,
                   std::unique_ptr<Draft> draft)
    : model_(std::move(model)),
      draft_(std::move(draft)),
      draft_tokens_(draft_ == nullptr ? 0
                                      : std::min({options.draft_tokens, kMostDraftTokens,
                                                  model_->cache_layout().rollback_tokens})),
      budget_(BudgetOf(*model_)),
      page_bytes_(model_->options().cache_budget_bytes > 0 ? PageBytes(*model_) : 0),
      bound_(options.queue) {
  if (options.prefixes.memory_bytes > 0) {
    const auto wake = [this] {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        files_ready_ = true;
      }
      wake_.notify_one();
    };
    prefixes_ = std::make_unique<Prefixes>(
        model_.get(), options.prefixes, draft_ == nullptr ? 0 : draft_->rows_tied_to_next(), wake);
  }
  Publish();
  thread_ = std::thread([this] { Work(); });
}

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

Status StepLoop::Submit(Request request) {
  HADAL_RETURN_IF_ERROR(bound_.Enter(request.tenant, std::ssize(request.prompt)));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    request.own_sequence = request.sequence == 0;
    if (request.own_sequence) request.sequence = next_sequence_++;
    arrived_.push_back(std::move(request));
  }
  wake_.notify_one();
  return {};
}

void StepLoop::Work() {
  while (TakeOrders()) {
    DropLapsed();
    AdvanceFiles();
    if (!queue_.entries.empty()) Step();
    Publish();
  }
  while (!active_.empty())
    Finish(active_.begin()->first, Status(Code::kCancelled, "engine", "closed", "", ""));
  sequences_.clear();
}

// Whether there is work without anything new.
bool StepLoop::CanGoOn() const {
  return std::any_of(queue_.entries.begin(), queue_.entries.end(),
                     [](const QueueEntry& entry) { return !entry.blocked; }) ||
         (prefixes_ != nullptr && prefixes_->busy());
}

void StepLoop::AdvanceFiles() {
  if (prefixes_ == nullptr) return;
  for (const std::uint64_t id : prefixes_->Advance())
    if (active_.count(id) > 0) Block(&queue_, id, false);
}

bool StepLoop::TakeOrders() {
  std::vector<Request> arrived;
  std::vector<std::uint64_t> released;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait(lock, [this] {
      return stop_ || files_ready_ || !arrived_.empty() || !released_.empty() || CanGoOn();
    });
    files_ready_ = false;
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
  const std::int64_t prompt_tokens = std::ssize(request.prompt);
  // The last prompt token is always computed: its logits are where the answer begins.
  const auto common = static_cast<std::int64_t>(CommonPrefix(cache->ids(), request.prompt));
  std::int64_t known = std::min(common, prompt_tokens - 1);
  if (draft_ != nullptr) known = std::max<std::int64_t>(0, known - draft_->rows_tied_to_next());
  const std::int64_t held = cache->Truncate(known);
  Tenant& tenant = tenants_[request.tenant];
  if (tenant.requests++ == 0) tenant.number = next_tenant_++;

  QueueEntry entry;
  entry.id = next_id_++;
  entry.sequence = request.sequence;
  entry.cached_tokens = held;
  entry.pending_tokens = prompt_tokens - held;
  entry.left_tokens = request.max_tokens;
  entry.tenant = tenant.number;
  entry.priority = request.priority;
  ::hadal::Submit(&queue_, entry);

  ActiveRequest& active = active_[entry.id];
  active.sequence = request.sequence;
  active.cache = cache.get();
  active.prompt_tokens = prompt_tokens;
  active.tokens = std::move(request.prompt);
  active.task = std::move(request.task);
  active.pace = DraftPace(draft_tokens_);
  active.own_sequence = request.own_sequence;
  active.known = {held, known - held, 0};
  active.tenant = std::move(request.tenant);
  active.space = std::move(request.space);
}

// Those that nobody waits for any more, or that took too long; wherever they are.
void StepLoop::DropLapsed() {
  std::vector<std::pair<std::uint64_t, Status>> dropped;
  for (const auto& [id, request] : active_) {
    Status status = request.task->cancelled()
                        ? Status(Code::kCancelled, "request", "cancelled", "", "")
                        : request.task->lapsed();
    if (!status.ok()) dropped.emplace_back(id, std::move(status));
  }
  for (const auto& [id, status] : dropped) Finish(id, status);
}

void StepLoop::Finish(std::uint64_t id, const Status& status) {
  Withdraw(&queue_, id);
  const auto found = active_.find(id);
  ActiveRequest request = std::move(found->second);
  active_.erase(found);
  request.cache->KeepSnapshot();
  if (request.own_sequence) {
    if (prefixes_ != nullptr)
      prefixes_->Keep(request.space, *request.cache, Prefixes::Until::kRestart);
    Forget(&queue_, request.sequence);
    sequences_.erase(request.sequence);
  }
  if (!request.begun) bound_.Leave(request.tenant, request.prompt_tokens);
  const auto tenant = tenants_.find(request.tenant);
  if (--tenant->second.requests == 0) tenants_.erase(tenant);
  switch (status.code()) {
    case Code::kOk:
      ++counted_.ended;
      break;
    case Code::kCancelled:
      ++counted_.cancelled;
      break;
    case Code::kDeadline:
      ++counted_.late;
      break;
    default:
      ++counted_.failed;
  }
  Publish();
  request.task->End(status);  // last: the session may send its next request at once
}

// Ends a request of which nothing is to be trusted: what a broken step left in the cache must not
// serve the next turn, nor anybody who shares its prefixes.
void StepLoop::Break(std::uint64_t id, const Status& status) {
  ActiveRequest& request = active_.at(id);
  request.cache->Clear();
  if (prefixes_ != nullptr && request.own_sequence) prefixes_->Forget(request.space);
  counted_.nan_logits += status.where() == "nan_logits";
  const std::uint64_t sequence = request.sequence;
  Finish(id, status);
  Forget(&queue_, sequence);
}

void StepLoop::Publish() {
  const QueueBound::Load load = bound_.load();
  counted_.waiting = load.requests;
  counted_.waiting_tokens = load.tokens;
  counted_.accepted_requests = load.accepted;
  counted_.refused_requests = load.refused;
  counted_.running = 0;
  std::map<std::string, EngineCounters::Tenant> tenants;
  for (const auto& [tenant, waiting] : load.by_tenant) tenants[tenant] = {tenant, waiting, 0};
  for (const auto& [id, request] : active_) {
    if (!request.begun) continue;
    ++counted_.running;
    EngineCounters::Tenant& tenant = tenants[request.tenant];
    tenant.tenant = request.tenant;
    ++tenant.running;
  }
  counted_.tenants.clear();
  for (auto& [name, tenant] : tenants) counted_.tenants.push_back(std::move(tenant));
  counted_.cache_used_bytes = model_->pages().used_bytes();
  counted_.cache_allocated_bytes = model_->pages().allocated_bytes();
  counted_.cache_budget_bytes = model_->options().cache_budget_bytes;
  if (prefixes_ != nullptr) prefixes_->Count(&counted_.prefixes);
  const std::lock_guard<std::mutex> lock(published_mutex_);
  published_ = counted_;
}

EngineCounters StepLoop::counters() const {
  EngineCounters counters;
  {
    const std::lock_guard<std::mutex> lock(published_mutex_);
    counters = published_;
  }
  counters.expert_rows = experts_.rows();
  const std::int64_t began = step_began_.load(std::memory_order_relaxed);
  const std::int64_t now =
      std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  if (began > 0)
    counters.step_running_seconds = std::max(0.0, 1e-9 * static_cast<double>(now - began));
  return counters;
}

}  // namespace hadal
