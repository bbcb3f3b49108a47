// Service: what handlers share: the models, who may ask how much, and who watches. Every function
// may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "hadal/engine.h"
#include "serve/admission.h"
#include "serve/api_error.h"
#include "serve/call.h"
#include "serve/model_pool.h"

namespace hadal {

class PullDesk;

// What became of one call, for metrics and the ledger. No text in it.
struct CallRecord {
  std::string key, model, path, request_id;
  Usage usage = {};
  std::int64_t reasoning_tokens = 0;
  double queue_seconds = 0;         // until the engine began to read its prompt
  double first_token_seconds = -1;  // from the request; negative: there was none
  double decode_seconds = 0, total_seconds = 0;
  std::vector<double> token_gaps_seconds = {};    // between tokens that followed each other
  std::vector<FinishReason> finish_reasons = {};  // of each answer that ended
  bool failed = false, cancelled = false;
  std::string error_code = {};
};

// Sees calls go by; called on exchanges' strands, several at a time.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void Started(const CallRecord&) {}
  virtual void Ended(const CallRecord& record) = 0;
};

// What became of one HTTP request. No content in it, and of its path only the route's pattern.
struct RequestRecord {
  std::string route = {};  // empty where it was turned away before it had one
  std::string method = {}, key = {}, request_id = {};
  int status = 0;  // 499: the client went away before the answer's end
  std::int64_t sent_bytes = 0;
  double seconds = 0;                                    // from its first byte to the answer's last
  std::int64_t prompt_tokens = 0, generated_tokens = 0;  // of its call, where it was one
};

// Sees HTTP requests go by, whatever they asked for; called on threads that serve the network: hand
// on, and do not block.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;
  virtual void Answered(const RequestRecord& record) = 0;
};

// A call on its way, as others may reach it: from any thread, without waiting for it.
struct RunningEntry {
  std::function<void()> end_call = {};  // called at most once
  std::string key = {}, answer_id = {};
  std::function<void()> end_reasoning = {};
};

struct ServiceLimits {
  AdmissionLimits admission = {};
  double load_seconds = 600;         // that a call waits for its model, then it fails
  double first_token_seconds = 600;  // the same for its answer
  double total_seconds = 3600;       // then the answer ends as if it were long enough
  int most_answers = 16;             // of one call: choices times prompts
};

class Service {
 public:
  explicit Service(ServiceLimits limits = {}, ModelPoolOptions models = {})
      : limits_(limits), admission_(limits.admission), models_(std::move(models)) {}

  // Before the server starts.
  void AddObserver(std::shared_ptr<CallObserver> observer);
  void AddObserver(std::shared_ptr<RequestObserver> observer);

  ModelPool& models() { return models_; }
  const ModelPool& models() const { return models_; }

  // Who fetches models for clients; null where nobody may. Before the server starts.
  void set_pulls(std::shared_ptr<PullDesk> pulls) { pulls_ = std::move(pulls); }
  PullDesk* pulls() const { return pulls_.get(); }

  Admission& admission() { return admission_; }
  const std::vector<std::shared_ptr<CallObserver>>& observers() const { return observers_; }
  const std::vector<std::shared_ptr<RequestObserver>>& request_observers() const {
    return request_observers_;
  }

  const ServiceLimits& limits() const { return limits_; }

  // Calls that run, so that a server that must end can end them.
  std::uint64_t AddRunning(RunningEntry entry);
  void RemoveRunning(std::uint64_t id);
  void AbortRunning();
  // Closes the reasoning of the answer of this id, where that key's call makes one.
  bool EndReasoning(const std::string& key, const std::string& answer_id);

  // False from the first signal on: readiness is gone, running calls finish.
  bool ready() const { return ready_.load() && !loading(); }
  void set_ready(bool ready) { ready_.store(ready); }
  // Pinned models are still to be added: one that is not there is not "not found" but being loaded.
  bool loading() const { return loading_.load(); }
  void set_loading(bool loading) { loading_.store(loading); }

 private:
  const ServiceLimits limits_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, RunningEntry> running_;
  std::uint64_t next_running_ = 0;
  std::vector<std::shared_ptr<CallObserver>> observers_;
  std::vector<std::shared_ptr<RequestObserver>> request_observers_;
  Admission admission_;
  ModelPool models_;
  std::atomic<bool> ready_{false}, loading_{false};
  std::shared_ptr<PullDesk> pulls_;  // the first to go: its threads use the others
};

// The answer while models are loaded.
ApiError LoadingError();

}  // namespace hadal
