// StepLoop: the thread that owns a model. It takes requests, asks the scheduler for a plan, runs
// the step, hands each request its logits, and goes on until nothing is left to do.
//
// Submit, NewSequence and Release may be called from any thread; the model, its sequences and the
// scheduler's state are touched by the loop's thread alone.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/draft.h"
#include "engine/step.h"

namespace hadal {

class StepLoop {
 public:
  // A request: `prompt` is not empty and holds ids of the vocabulary; `sequence` has no other
  // request, or is 0 for a timeline of its own, gone with the request; the whole of it passes Fits.
  struct Request {
    std::uint64_t sequence = 0;
    std::vector<std::int32_t> prompt;
    std::int64_t max_tokens = 1;
    std::shared_ptr<StepTask> task;
    bool own_sequence = false;  // Submit says so
  };

  // `draft` may be null. It makes at most `draft_tokens` guesses a step, and kMostDraftTokens.
  explicit StepLoop(std::shared_ptr<Model> model, std::unique_ptr<Draft> draft = nullptr,
                    std::int64_t draft_tokens = 0);
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

  // Tokens that the timeline shares with `prompt` are not computed again.
  void Submit(Request request);

 private:
  void Work();
  bool TakeOrders();  // false: the end
  void Accept(Request request);
  void DropCancelled();
  void Step();
  void RunOutOfMemory(const StepPlan& plan, const Status& status);
  void Distribute(const StepPlan& plan, std::span<const float> logits, StepResult* result,
                  std::map<std::uint64_t, Status>* failed);
  void GuessNext(const StepPlan& plan, const StepResult& result,
                 const std::map<std::uint64_t, Status>& failed);
  void Finish(std::uint64_t id, const Status& status);

  std::shared_ptr<Model> model_;
  std::unique_ptr<Draft> draft_;
  std::int64_t draft_tokens_;
  Budget budget_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Request> arrived_;         // guarded by mutex_
  std::vector<std::uint64_t> released_;  // guarded by mutex_
  std::uint64_t next_sequence_ = 1;      // guarded by mutex_
  bool stop_ = false;                    // guarded by mutex_

  QueueState queue_;
  ActiveRequests active_;
  std::map<std::uint64_t, std::unique_ptr<SequenceCache>> sequences_;
  std::uint64_t next_id_ = 1;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace hadal
