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
  struct Engine {
    std::string model;
    std::function<EngineReading()> read;
  };
  struct Counter {
    std::string name, help;
    std::function<double()> read;
  };

  std::vector<Family> Collect() const override {
    const std::lock_guard<std::mutex> lock(mutex);
    std::vector<Family> families;
    std::vector<std::pair<std::string, EngineReading>> readings;
    readings.reserve(engines.size());
    for (const Engine& engine : engines) readings.emplace_back(engine.model, engine.read());
    for (const Column& column : kColumns) {
      Family family;
      family.name = column.name;
      family.help = column.help;
      family.type = column.gauge ? prometheus::MetricType::Gauge : prometheus::MetricType::Counter;
      for (const auto& [model, reading] : readings)
        family.metric.push_back(Metric(reading.*column.value, column.gauge, model));
      if (!readings.empty()) families.push_back(std::move(family));
    }
    for (const Counter& counter : counters) {
      Family family{counter.name, counter.help, prometheus::MetricType::Counter, {}};
      family.metric.push_back(Metric(counter.read(), false, {}));
      families.push_back(std::move(family));
    }
    return families;
  }

  mutable std::mutex mutex;
  std::vector<Engine> engines;
  std::vector<Counter> counters;

 private:
  struct Column {
    const char *name, *help;
    double EngineReading::* value;
    bool gauge;
  };
  static constexpr bool kGauge = true, kCounter = false;
  static constexpr Column kColumns[] = {
      {"vllm:num_requests_running", "Answers in progress.", &EngineReading::running, kGauge},
      {"vllm:num_requests_waiting", "Answers that wait.", &EngineReading::waiting, kGauge},
      {"vllm:kv_cache_usage_perc", "Share of the memory for contexts in use, 0 to 1.",
       &EngineReading::cache_used_share, kGauge},
      {"vllm:num_preemptions_total", "Answers put back for others.", &EngineReading::preemptions,
       kCounter},
      {"vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.",
       &EngineReading::prefix_queried_tokens, kCounter},
      {"vllm:prefix_cache_hits_total", "Prompt tokens found there.",
       &EngineReading::prefix_hit_tokens, kCounter},
      {"vllm:spec_decode_num_draft_tokens_total", "Guessed tokens that were checked.",
       &EngineReading::draft_tokens, kCounter},
      {"vllm:spec_decode_num_accepted_tokens_total", "Guessed tokens that were right.",
       &EngineReading::accepted_draft_tokens, kCounter},
      {"vllm:corrupted_requests_total", "Answers ended since their logits were not finite.",
       &EngineReading::bad_logits, kCounter},
      {"hadal:steps_total", "Steps of the model.", &EngineReading::steps, kCounter},
      {"hadal:step_seconds_total", "Seconds in steps of the model.", &EngineReading::step_seconds,
       kCounter},
      {"hadal:prompt_tokens_computed_total", "Prompt tokens computed.",
       &EngineReading::prompt_tokens_computed, kCounter},
      {"hadal:prompt_tokens_cached_total", "Prompt tokens known before.",
       &EngineReading::prompt_tokens_cached, kCounter},
      {"hadal:prompt_tokens_replayed_total",
       "Prompt tokens known before and computed again since windows were forgotten.",
       &EngineReading::prompt_tokens_replayed, kCounter},
      {"hadal:generated_tokens_total", "Tokens chosen, those of unfinished answers too.",
       &EngineReading::generated_tokens, kCounter},
  };

  static prometheus::ClientMetric Metric(double value, bool gauge, const std::string& model) {
    prometheus::ClientMetric metric;
    if (!model.empty()) metric.label.push_back({"model_name", model});
    (gauge ? metric.gauge.value : metric.counter.value) = value;
    return metric;
  }
};

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

void Metrics::AddEngine(const std::string& model, std::function<EngineReading()> read) {
  const std::lock_guard<std::mutex> lock(impl_->readings.mutex);
  impl_->readings.engines.push_back({model, std::move(read)});
}

void Metrics::AddCounter(const std::string& name, const std::string& help,
                         std::function<double()> read) {
  const std::lock_guard<std::mutex> lock(impl_->readings.mutex);
  impl_->readings.counters.push_back({name, help, std::move(read)});
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

std::string Metrics::Text() {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  for (prometheus::MetricFamily& family : impl_->readings.Collect())
    families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace hadal
