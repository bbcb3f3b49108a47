#include "serve/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <utility>
#include <vector>

namespace hadal {
namespace {

using BucketBoundaries = prometheus::Histogram::BucketBoundaries;
using prometheus::Registry;

// Upper ends of the histograms, as vLLM's dashboards expect them.
const BucketBoundaries kFirstTokenSeconds = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                             0.25,  0.5,   0.75, 1,    2.5,  5,    7.5,  10,
                                             20,    40,    80,   160,  640,  2560};
const BucketBoundaries kGapSeconds = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
                                      0.75, 1,     2.5,  5,     7.5, 10,   20,  40,  80};
const BucketBoundaries kRequestSeconds = {0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                          30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680};
const BucketBoundaries kTokens = {1,     2,      5,      10,     20,     50,    100,
                                  200,   500,    1000,   2000,   5000,   10000, 20000,
                                  50000, 100000, 200000, 500000, 1000000};

// Values of others, collected at every scrape.
class Readings : public prometheus::Collectable {
 public:
  using Family = prometheus::MetricFamily;
  struct Single {
    std::string name, help;
    bool gauge = false;
    std::function<double()> read;
  };

  std::vector<Family> Collect() const override;

  mutable std::mutex mutex;
  std::function<Metrics::EngineReadings()> engines;
  std::vector<Single> singles;

 private:
  struct Column {
    const char *name, *help;
    double (*value)(const EngineCounters&);
    bool gauge;
  };
  static const std::vector<Column>& Columns();

  static prometheus::ClientMetric Metric(double value, bool gauge, const std::string& model) {
    prometheus::ClientMetric metric;
    if (!model.empty()) metric.label.push_back({"model_name", model});
    (gauge ? metric.gauge.value : metric.counter.value) = value;
    return metric;
  }
};

constexpr bool kGauge = true, kCounter = false;

double ShareUsed(const EngineCounters& c) {
  if (c.cache_budget_bytes == 0) return 0;
  return static_cast<double>(c.cache_used_bytes) / static_cast<double>(c.cache_budget_bytes);
}

#define HADAL_READ(field) [](const EngineCounters& c) { return static_cast<double>(c.field); }

const std::vector<Readings::Column>& Readings::Columns() {
  static const std::vector<Column> columns = {
      {"vllm:num_requests_running", "Answers in progress.", HADAL_READ(running), kGauge},
      {"vllm:num_requests_waiting", "Answers that wait.", HADAL_READ(waiting), kGauge},
      {"vllm:kv_cache_usage_perc", "Share of the memory for contexts in use, 0 to 1 (0: no bound).",
       ShareUsed, kGauge},
      {"hadal:cache_used_bytes", "Memory of contexts, known prefixes included.",
       HADAL_READ(cache_used_bytes), kGauge},
      {"hadal:prefix_held_bytes", "Memory of known prefixes.", HADAL_READ(prefixes.held_bytes),
       kGauge},
      {"hadal:prefixes_held", "Known prefixes.", HADAL_READ(prefixes.held), kGauge},
      {"vllm:num_preemptions_total", "Answers put back for others.", HADAL_READ(preemptions),
       kCounter},
      {"vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.",
       HADAL_READ(prefixes.asked_tokens), kCounter},
      {"vllm:prefix_cache_hits_total", "Prompt tokens found there.",
       HADAL_READ(prefixes.hit_tokens), kCounter},
      {"vllm:spec_decode_num_draft_tokens_total", "Guessed tokens that were checked.",
       HADAL_READ(draft_tokens), kCounter},
      {"vllm:spec_decode_num_accepted_tokens_total", "Guessed tokens that were right.",
       HADAL_READ(accepted_draft_tokens), kCounter},
      {"vllm:corrupted_requests_total", "Answers ended since their logits were no numbers.",
       HADAL_READ(nan_logits), kCounter},
      {"hadal:steps_total", "Steps of the model.", HADAL_READ(steps), kCounter},
      {"hadal:step_seconds_total", "Seconds in steps of the model.", HADAL_READ(step_seconds),
       kCounter},
      {"hadal:prompt_tokens_computed_total", "Prompt tokens computed.",
       HADAL_READ(prompt_tokens_computed), kCounter},
      {"hadal:prompt_tokens_cached_total", "Prompt tokens known before.",
       HADAL_READ(prompt_tokens_cached), kCounter},
      {"hadal:prompt_tokens_replayed_total",
       "Prompt tokens known before and computed again since windows were forgotten.",
       HADAL_READ(prompt_tokens_replayed), kCounter},
      {"hadal:generated_tokens_total", "Tokens chosen, those of unfinished answers too.",
       HADAL_READ(generated_tokens), kCounter},
      {"hadal:refused_requests_total", "Answers refused since the queue was full.",
       HADAL_READ(refused_requests), kCounter},
  };
  return columns;
}

#undef HADAL_READ

// Why lookups of prefixes found no more than they did.
prometheus::MetricFamily Reasons(const Metrics::EngineReadings& readings) {
  prometheus::MetricFamily family;
  family.name = "hadal:prefix_cache_lookups_total";
  family.help = "Lookups in the prefix cache, by why they found no more.";
  family.type = prometheus::MetricType::Counter;
  for (const auto& [model, reading] : readings)
    for (const auto& [reason, count] : reading.prefixes.reasons) {
      prometheus::ClientMetric metric;
      metric.label = {{"model_name", model}, {"reason", reason}};
      metric.counter.value = static_cast<double>(count);
      family.metric.push_back(std::move(metric));
    }
  return family;
}

std::vector<prometheus::MetricFamily> Readings::Collect() const {
  const std::lock_guard<std::mutex> lock(mutex);
  std::vector<Family> families;
  Metrics::EngineReadings readings;
  if (engines) readings = engines();
  for (const Column& column : Columns()) {
    Family family;
    family.name = column.name;
    family.help = column.help;
    family.type = column.gauge ? prometheus::MetricType::Gauge : prometheus::MetricType::Counter;
    for (const auto& [model, reading] : readings)
      family.metric.push_back(Metric(column.value(reading), column.gauge, model));
    if (!readings.empty()) families.push_back(std::move(family));
  }
  if (Family reasons = Reasons(readings); !reasons.metric.empty())
    families.push_back(std::move(reasons));
  for (const Single& single : singles) {
    const auto type =
        single.gauge ? prometheus::MetricType::Gauge : prometheus::MetricType::Counter;
    Family family{single.name, single.help, type, {}};
    family.metric.push_back(Metric(single.read(), single.gauge, {}));
    families.push_back(std::move(family));
  }
  return families;
}

const char* Reason(FinishReason reason) {
  switch (reason) {
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "abort";
    case FinishReason::kStop:
    case FinishReason::kToolCalls:
      break;
  }
  return "stop";
}

}  // namespace

struct Metrics::Impl {
  Registry registry;
  Readings readings;

  prometheus::Family<prometheus::Counter>& Count(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<prometheus::Histogram>& Spread(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  prometheus::Family<prometheus::Counter>& prompt_tokens =
      Count("vllm:prompt_tokens_total", "Tokens of prompts, cached ones included.");
  prometheus::Family<prometheus::Counter>& generated_tokens =
      Count("vllm:generation_tokens_total", "Tokens of answers that ended.");
  prometheus::Family<prometheus::Counter>& cached_tokens =
      Count("vllm:prompt_tokens_cached_total", "Tokens of prompts that were known before.");
  prometheus::Family<prometheus::Counter>& success =
      Count("vllm:request_success_total", "Answers that ended, by reason.");
  prometheus::Family<prometheus::Counter>& started =
      Count("hadal:calls_started_total", "Calls that were admitted.");
  prometheus::Family<prometheus::Counter>& failed =
      Count("hadal:calls_failed_total", "Calls that ended with an error.");
  prometheus::Family<prometheus::Counter>& requests =
      Count("hadal:http_requests_total",
            "HTTP requests, by route and status (499: the client went away).");
  prometheus::Family<prometheus::Histogram>& first_token =
      Spread("vllm:time_to_first_token_seconds", "From the request to the first token.");
  prometheus::Family<prometheus::Histogram>& gap =
      Spread("vllm:inter_token_latency_seconds", "Between two tokens of an answer.");
  prometheus::Family<prometheus::Histogram>& total =
      Spread("vllm:e2e_request_latency_seconds", "From the request to its end.");
  prometheus::Family<prometheus::Histogram>& queue =
      Spread("vllm:request_queue_time_seconds", "From the request to its first step.");
  prometheus::Family<prometheus::Histogram>& decode =
      Spread("vllm:request_decode_time_seconds", "From the first token to the last.");
  prometheus::Family<prometheus::Histogram>& prompt_size =
      Spread("vllm:request_prompt_tokens", "Tokens of a prompt.");
  prometheus::Family<prometheus::Histogram>& answer_size =
      Spread("vllm:request_generation_tokens", "Tokens of an answer.");
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::SetEngines(std::function<EngineReadings()> read) {
  const std::lock_guard<std::mutex> lock(impl_->readings.mutex);
  impl_->readings.engines = std::move(read);
}

void Metrics::AddCounter(const std::string& name, const std::string& help,
                         std::function<double()> read) {
  const std::lock_guard<std::mutex> lock(impl_->readings.mutex);
  impl_->readings.singles.push_back({name, help, kCounter, std::move(read)});
}

void Metrics::AddGauge(const std::string& name, const std::string& help,
                       std::function<double()> read) {
  const std::lock_guard<std::mutex> lock(impl_->readings.mutex);
  impl_->readings.singles.push_back({name, help, kGauge, std::move(read)});
}

void Metrics::Started(const CallRecord& record) {
  impl_->started.Add({{"model_name", record.model}}).Increment();
}

void Metrics::Ended(const CallRecord& record) {
  Impl& m = *impl_;
  const prometheus::Labels labels = {{"model_name", record.model}};
  if (record.failed) m.failed.Add(labels).Increment();
  for (const FinishReason reason : record.finish_reasons)
    m.success.Add({{"model_name", record.model}, {"finished_reason", Reason(reason)}}).Increment();
  const auto prompt = static_cast<double>(record.usage.prompt_tokens);
  const auto generated = static_cast<double>(record.usage.generated_tokens);
  m.prompt_tokens.Add(labels).Increment(prompt);
  m.cached_tokens.Add(labels).Increment(static_cast<double>(record.usage.cached_tokens));
  m.generated_tokens.Add(labels).Increment(generated);
  if (record.first_token_seconds >= 0)
    m.first_token.Add(labels, kFirstTokenSeconds).Observe(record.first_token_seconds);
  prometheus::Histogram& gap = m.gap.Add(labels, kGapSeconds);
  for (const double seconds : record.token_gaps_seconds) gap.Observe(seconds);
  m.total.Add(labels, kRequestSeconds).Observe(record.total_seconds);
  m.queue.Add(labels, kRequestSeconds).Observe(record.queue_seconds);
  m.decode.Add(labels, kRequestSeconds).Observe(record.decode_seconds);
  if (prompt > 0) m.prompt_size.Add(labels, kTokens).Observe(prompt);
  if (generated > 0) m.answer_size.Add(labels, kTokens).Observe(generated);
}

void Metrics::Answered(const RequestRecord& record) {
  impl_->requests.Add({{"route", record.route}, {"status", std::to_string(record.status)}})
      .Increment();
}

std::string Metrics::Text() {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  for (prometheus::MetricFamily& family : impl_->readings.Collect())
    families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace hadal
