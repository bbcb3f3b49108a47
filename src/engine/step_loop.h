// StepLoop: the thread that owns a model. It takes requests, asks the scheduler for a plan, runs
// the step, hands each request its logits, and goes on until nothing is left to do. Whatever goes
// wrong in one request ends that request alone.
//
// Submit, NewSequence, Release, counters and CountExperts may be called from any thread; the model,
// its sequences and the scheduler's state are touched by the loop's thread alone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/draft.h"
#include "engine/expert_counter.h"
#include "engine/prefixes.h"
#include "engine/queue_bound.h"
#include "engine/step.h"
#include "hadal/counters.h"

namespace hadal {

struct StepLoopOptions {
  std::int64_t draft_tokens = 0;  // most guesses of a step, where there is a draft
  QueueBoundOptions queue = {};
  PrefixOptions prefixes = {};
};

class StepLoop {
 public:
  // A request: `prompt` is not empty and holds ids of the vocabulary; `sequence` has no other
  // request, or is 0 for a timeline of its own, which begins with what is known of the prompt in
  // `space` and leaves what it knows there; the whole of it passes Fits.
  struct Request {
    std::uint64_t sequence = 0;
    std::vector<std::int32_t> prompt;
    std::int64_t max_tokens = 1;
    std::shared_ptr<StepTask> task;
    std::string tenant = {};
    std::int32_t priority = 0;
    std::string space = {};
    bool own_sequence = false;  // Submit says so
  };

  // `draft` may be null.
  explicit StepLoop(std::shared_ptr<Model> model, const StepLoopOptions& options = {},
                    std::unique_ptr<Draft> draft = nullptr);
  ~StepLoop();  // requests that are still there end as cancelled
  StepLoop(const StepLoop&) = delete;
  StepLoop& operator=(const StepLoop&) = delete;

  // A timeline; it holds nothing until its first request.
  std::uint64_t NewSequence();
  // Forgets a timeline that has no request.
  void Release(std::uint64_t sequence);

  // Whether a timeline of this length could be held if nothing else were.
  bool Fits(std::int64_t tokens) const { return CanEverFit(tokens, budget_); }
  // The most tokens that pass Fits; a very large number where there is no bound.
  std::int64_t most_tokens() const;

  // Tokens that the timeline shares with `prompt` are not computed again. kBusy where too much
  // waits: then the task hears nothing.
  Status Submit(Request request);

  // As of the last step, or the last end of a request.
  EngineCounters counters() const;
  void CountExperts(bool on) { experts_.Enable(on); }

 private:
  struct Tenant {
    std::uint64_t number = 0;
    std::int64_t requests = 0;
  };

  // step_loop.cc: requests come and go.
  void Work();
  bool TakeOrders();  // false: the end
  bool CanGoOn() const;
  void AdvanceFiles();
  void Accept(Request request);
  void DropLapsed();
  void Finish(std::uint64_t id, const Status& status);
  void Break(std::uint64_t id, const Status& status);
  void Publish();

  // step_run.cc: one step.
  void Step();
  StepPlan Plan();
  bool AttachPrefixes(const StepPlan& plan);
  void Begin(ActiveRequest* request);
  void GiveBack(const StepPlan& plan);
  Status Compute(const StepPlan& plan, std::span<const float>* logits);
  void TakeResults(const StepPlan& plan, std::span<const float> logits);
  void Distribute(const StepPlan& plan, std::span<const float> logits, StepResult* result,
                  std::map<std::uint64_t, Status>* failed);
  void GuessNext(const StepPlan& plan, const StepResult& result,
                 const std::map<std::uint64_t, Status>& failed);
  void CountRows(const PlannedRows& planned, ActiveRequest* request);
  void RunOutOfMemory(const StepPlan& plan, const Status& status);
  void RunApart(const StepPlan& plan, const Status& status);

  std::shared_ptr<Model> model_;
  std::unique_ptr<Draft> draft_;
  std::int64_t draft_tokens_;
  Budget budget_;
  std::uint64_t page_bytes_ = 0;  // of the scheduler's pages; 0: there is no bound
  QueueBound bound_;
  ExpertCounter experts_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Request> arrived_;         // guarded by mutex_
  std::vector<std::uint64_t> released_;  // guarded by mutex_
  std::uint64_t next_sequence_ = 1;      // guarded by mutex_
  bool stop_ = false;                    // guarded by mutex_
  bool files_ready_ = false;             // guarded by mutex_: the disk tier has something

  mutable std::mutex published_mutex_;
  EngineCounters published_;                 // guarded by published_mutex_
  std::atomic<std::int64_t> step_began_{0};  // of the clock, in nanoseconds; 0: no step runs

  QueueState queue_;
  ActiveRequests active_;
  std::map<std::uint64_t, std::unique_ptr<SequenceCache>> sequences_;
  std::unique_ptr<Prefixes> prefixes_;     // null: nothing is kept
  std::map<std::string, Tenant> tenants_;  // those that have requests
  EngineCounters counted_;
  std::uint64_t next_id_ = 1, next_tenant_ = 1;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace hadal
