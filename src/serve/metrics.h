// Metrics: what the server does, in the text format of Prometheus. Names that vLLM's dashboards use
// where the meaning is equal ("vllm:..."), and ours ("hadal:...") for the rest; labels are model
// names, patterns of routes and fixed words, never anything from a request.
//
// Any thread may call any function.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hadal/counters.h"
#include "serve/service.h"

namespace hadal {

class Metrics : public CallObserver, public RequestObserver {
 public:
  Metrics();
  ~Metrics() override;

  // The engines that there are now, by the names of their models: read at every scrape.
  using EngineReadings = std::vector<std::pair<std::string, EngineCounters>>;
  void SetEngines(std::function<EngineReadings()> read);
  // What somebody else counts ("hadal:ledger_dropped_total") or holds: read at every scrape.
  void AddCounter(const std::string& name, const std::string& help, std::function<double()> read);
  void AddGauge(const std::string& name, const std::string& help, std::function<double()> read);

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
