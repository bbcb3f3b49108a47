// Metrics: what the server does, in the text format of Prometheus. Names that vLLM's dashboards use
// where the meaning is equal ("vllm:..."), and ours ("hadal:...") for the rest; labels are model
// names, patterns of routes and fixed words, never anything from a request.
//
// Any thread may call any function.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hadal/counters.h"
#include "serve/service.h"

namespace hadal {

class Metrics : public CallObserver, public RequestObserver {
 public:
  Metrics();
  ~Metrics() override;

  // `read` is called at every scrape.
  void AddEngine(const std::string& model, std::function<EngineCounters()> read);
  // A counter that somebody else keeps ("hadal:ledger_dropped_total"): read at every scrape.
  void AddCounter(const std::string& name, const std::string& help, std::function<double()> read);

  void Started(const CallRecord& record) override;
  void Ended(const CallRecord& record) override;
  void Answered(const RequestRecord& record) override;

  // What GET /metrics answers, as "text/plain; version=0.0.4".
  std::string Text();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hadal
