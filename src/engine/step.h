// One step: a plan of the scheduler turned into a batch of the model.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/draft_pace.h"
#include "engine/prefixes.h"
#include "model/model.h"
#include "sched/schedule.h"

namespace hadal {

// What a request wants to know while the loop works on it. All calls come from the loop's thread.
class StepTask {
 public:
  struct Choice {
    std::int32_t token = -1;
    bool last = false;  // the answer ends with it
  };
  virtual ~StepTask() = default;
  // True from some moment on: the request is given up before the next step.
  virtual bool cancelled() const = 0;
  // Not ok once it took longer than it may: likewise.
  virtual Status lapsed() const { return {}; }
  // The first call, but End may come before it. Of the prompt, `cached` tokens have their rows from
  // earlier requests; after them, `replayed` more had theirs, but they are computed again since
  // windows were forgotten.
  virtual void Resume(std::int64_t cached, std::int64_t replayed) { (void)cached, (void)replayed; }
  // `done` of `total` prompt tokens have their rows.
  virtual void Progress(std::int64_t done, std::int64_t total) = 0;
  // Chooses the token at `position` from its logits. A failure ends the request.
  virtual Result<Choice> Choose(std::span<const float> logits, std::int64_t position) = 0;
  // After the choices of each step: of `guessed` guesses, `right` were among the choices.
  virtual void Drafted(std::int64_t guessed, std::int64_t right) { (void)guessed, (void)right; }
  // The last call: ok where a last token was chosen or no more were allowed.
  virtual void End(const Status& status) = 0;
};

// A request as the loop holds it, beside the scheduler's numbers.
struct ActiveRequest {
  std::uint64_t sequence = 0;
  SequenceCache* cache = nullptr;
  std::vector<std::int32_t> tokens;  // prompt, then what was chosen
  std::int64_t prompt_tokens = 0;
  std::shared_ptr<StepTask> task;
  DraftPace pace;
  std::vector<std::int32_t> guesses;  // of the tokens that follow; dropped after the next step
  bool own_sequence = false;          // the timeline ends with the request
  std::string tenant, space;
  bool begun = false;            // has had a place
  bool looked_up = false;        // in the known prefixes, since it last had no rows
  bool asked_disk = false;       // likewise, once
  Prefixes::Start known;         // of the prompt
  std::int64_t snapshot_at = 0;  // a length at which what it has is wanted by others
  std::int64_t most_rows = 0;    // that it ever had
};
using ActiveRequests = std::map<std::uint64_t, ActiveRequest>;  // by id

// Computes the planned rows in one step. `logits` receives, for each planned request that samples,
// a row for its last token and one for each of its guesses, in the order of the plan; valid until
// the next step.
Status RunPlan(const StepPlan& plan, const ActiveRequests& requests, Model* model,
               StepObserver* observer, std::span<const float>* logits);

}  // namespace hadal
