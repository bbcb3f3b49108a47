// What the machine does, for Prometheus (/metrics) and for the page (/api/hadal/live).
#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

#include "base/process_memory.h"
#include "serve/json_writer.h"
#include "serve/metrics.h"
#include "serve/routes.h"

namespace hadal {
namespace {

// Tokens per second between two looks at a counter.
class Pace {
 public:
  double Look(std::int64_t tokens) {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    // Two pages that look at nearly the same moment see the same figure.
    if (seconds < 0.25) return rate_;
    rate_ = static_cast<double>(tokens - tokens_) / seconds;
    tokens_ = tokens;
    last_ = now;
    return rate_;
  }

 private:
  std::int64_t tokens_ = 0;
  double rate_ = 0;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

class LiveView {
 public:
  // Zeros for a model that is not loaded.
  std::string Json(const ModelPool::Row& model, bool experts) {
    EngineCounters counters;
    EngineInfo info;
    if (model.engine != nullptr) {
      if (experts) model.engine->CountExperts(true);
      counters = model.engine->counters();
      info = model.engine->info();
    }
    double tokens_per_second = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      tokens_per_second = paces_[model.name].Look(counters.generated_tokens);
    }
    const std::uint64_t bytes_per_token = std::max<std::uint64_t>(1, info.cache_bytes_per_token);
    JsonWriter json;
    json.BeginObject().Key("model").Text(model.name);
    json.Key("tokens_per_second").Number(tokens_per_second);
    json.Key("running").Integer(counters.running).Key("waiting").Integer(counters.waiting);
    json.Key("context_used_tokens")
        .Integer(static_cast<std::int64_t>(counters.cache_used_bytes / bytes_per_token));
    json.Key("context_tokens").Integer(info.context_tokens);
    json.Key("prefix_hit_tokens").Integer(counters.prompt_tokens_cached);
    json.Key("prompt_tokens").Integer(counters.prompt_tokens);
    json.Key("memory_bytes").BeginObject();
    json.Key("cache").Integer(static_cast<std::int64_t>(counters.cache_used_bytes));
    json.Key("limit").Integer(static_cast<std::int64_t>(counters.cache_budget_bytes));
    json.Key("process").Integer(static_cast<std::int64_t>(MeasureProcessMemory().anonymous_bytes));
    json.EndObject();
    if (experts) WriteExperts(counters, &json);
    json.EndObject();
    return json.Take();
  }

 private:
  static void WriteExperts(const EngineCounters& counters, JsonWriter* json) {
    json->Key("experts").BeginObject().Key("layers").BeginArray();
    for (std::size_t layer = 0; layer < counters.expert_rows.size(); ++layer) {
      if (counters.expert_rows[layer].empty()) continue;
      json->BeginObject().Key("layer").Integer(static_cast<std::int64_t>(layer));
      json->Key("counts").BeginArray();
      for (const std::int64_t rows : counters.expert_rows[layer]) json->Integer(rows);
      json->EndArray().EndObject();
    }
    json->EndArray().EndObject();
  }

  std::mutex mutex_;
  std::map<std::string, Pace> paces_;
};

HttpResponse WholeAnswer(std::string type, std::string body) {
  HttpResponse response;
  response.status = 200;
  response.headers.Set("Content-Type", std::move(type));
  response.headers.Set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

// The engines that there are, and how they come and go. The service holds the metrics, not the
// other way round.
void WatchModels(const std::weak_ptr<Service>& service, Metrics* metrics) {
  metrics->SetEngines([service] {
    Metrics::EngineReadings readings;
    if (const auto alive = service.lock())
      for (const ModelPool::Row& row : alive->models().LoadedRows())
        readings.emplace_back(row.name, row.engine->counters());
    return readings;
  });
  using Counts = ModelPool::Counts;
  const auto read = [service](double (*value)(const Counts&)) {
    return [service, value] {
      const auto alive = service.lock();
      return alive == nullptr ? 0.0 : value(alive->models().counts());
    };
  };
#define HADAL_READ(field) read([](const Counts& c) { return static_cast<double>(c.field); })
  metrics->AddGauge("hadal:models_loaded", "Models in memory.", HADAL_READ(loaded));
  metrics->AddGauge("hadal:model_load_waiting", "Requests that wait for their model.",
                    HADAL_READ(waiting));
  metrics->AddCounter("hadal:model_loads_total", "Models loaded on demand.", HADAL_READ(loads));
  metrics->AddCounter("hadal:model_load_failures_total", "Models that could not be loaded.",
                      HADAL_READ(failed_loads));
  metrics->AddCounter("hadal:model_unloads_total", "Models freed.", HADAL_READ(unloads));
  metrics->AddCounter("hadal:model_load_seconds_total", "Seconds of loading on demand.",
                      HADAL_READ(load_seconds));
#undef HADAL_READ
}

}  // namespace

void AddObservationRoutes(Router* router, const std::shared_ptr<Service>& service,
                          const std::shared_ptr<Metrics>& metrics) {
  WatchModels(service, metrics.get());
  router->Add({"GET", "/metrics", Access::Key(Scope::kMetrics),
               [metrics](const std::shared_ptr<Exchange>& exchange) {
                 exchange->Send(
                     WholeAnswer("text/plain; version=0.0.4; charset=utf-8", metrics->Text()));
               }});
  const auto live = std::make_shared<LiveView>();
  router->Add(
      {"GET", "/api/hadal/live", Access::Key(Scope::kInfer),
       [service, live](const std::shared_ptr<Exchange>& exchange) {
         const bool experts = exchange->request().query.find("experts=1") != std::string::npos;
         auto model = service->models().Find("");
         if (!model.ok())
           return SendError(service->loading() ? LoadingError() : model.error(), exchange.get());
         exchange->Send(WholeAnswer("application/json", live->Json(*model, experts)));
       }});
}

}  // namespace hadal
