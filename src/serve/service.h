// Service: what handlers share: the models, who may ask how much, and who watches. Made once before
// the server starts; every function may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "hadal/engine.h"
#include "serve/admission.h"
#include "serve/api_error.h"
#include "serve/call.h"

namespace hadal {

// A model that answers.
struct ServedModel {
  std::string name;  // what clients call it
  std::shared_ptr<Engine> engine;
  std::int64_t created_seconds = 0;  // of its file, since 1970
};

// What became of one call, for metrics and the ledger. No text in it.
struct CallRecord {
  std::string key, model, path, request_id;
  int answers = 1;
  Usage usage = {};
  std::int64_t reasoning_tokens = 0;
  double queue_seconds = 0;         // until the first step of its first answer
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

class Service {
 public:
  explicit Service(AdmissionLimits limits = {}) : admission_(limits) {}

  // Before the server starts. The first model is the default one.
  void AddModel(ServedModel model);
  void AddObserver(std::shared_ptr<CallObserver> observer);

  // By name; an empty name is the default model. ":latest" may be left out or added (Ollama).
  ApiResult<ServedModel> FindModel(std::string_view name) const;
  std::vector<ServedModel> models() const;

  Admission& admission() { return admission_; }
  const std::vector<std::shared_ptr<CallObserver>>& observers() const { return observers_; }

  // False from the first signal on: readiness is gone, running calls finish.
  bool ready() const { return ready_.load(); }
  void set_ready(bool ready) { ready_.store(ready); }

 private:
  mutable std::mutex mutex_;
  std::vector<ServedModel> models_;
  std::vector<std::shared_ptr<CallObserver>> observers_;
  Admission admission_;
  std::atomic<bool> ready_{false};
};

}  // namespace hadal
