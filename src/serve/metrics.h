// Metrics: what the server does, in the text format of Prometheus. Names that vLLM's dashboards use
// where the meaning is equal ("vllm:..."), and ours ("hadal:...") for the rest; labels are model
// names and fixed words, never anything from a request.
//
// Any thread may call any function.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "serve/service.h"

namespace hadal {

// A reading of an engine: gauges, and counters that only grow.
struct EngineReading {
  double running = 0, waiting = 0;     // answers
  double cache_used_share = 0;         // of the memory for contexts, 0 to 1
  double steps = 0, step_seconds = 0;  // since the start, like all that follow
  double prompt_tokens_computed = 0, prompt_tokens_cached = 0, prompt_tokens_replayed = 0;
  double generated_tokens = 0;
  double preemptions = 0;
  double prefix_queried_tokens = 0, prefix_hit_tokens = 0;
  double draft_tokens = 0, accepted_draft_tokens = 0;
  double bad_logits = 0;  // answers ended because their logits were not finite
};

class Metrics : public CallObserver {
 public:
  Metrics();
  ~Metrics() override;

  // `read` is called at every scrape.
  void AddEngine(const std::string& model, std::function<EngineReading()> read);
  // A counter that somebody else keeps ("hadal:ledger_dropped_total"): read at every scrape.
  void AddCounter(const std::string& name, const std::string& help, std::function<double()> read);

  void Started(const CallRecord& record) override;
  void Ended(const CallRecord& record) override;

  // What GET /metrics answers, as "text/plain; version=0.0.4".
  std::string Text();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hadal
