// Ledger, metrics, energy and log: what they say of calls.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/energy.h"
#include "serve/energy_share.h"
#include "serve/ledger.h"
#include "serve/metrics.h"
#include "serve/request_log.h"

namespace hadal {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("hadal_records_" + std::to_string(getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

CallRecord Call(const std::string& key, std::int64_t prompt, std::int64_t generated) {
  CallRecord record;
  record.key = key;
  record.model = "tiny";
  record.path = "/v1/chat/completions";
  record.request_id = key + "-1";
  record.usage.prompt_tokens = prompt;
  record.usage.cached_tokens = prompt / 2;
  record.usage.generated_tokens = generated;
  record.first_token_seconds = 0.5;
  record.total_seconds = 2;
  record.token_gaps_seconds = {0.03, 0.2};
  record.finish_reasons = {FinishReason::kStop};
  return record;
}

TEST(Ledger, SumsByKeyAndOutlivesTheServer) {
  const Folder folder;
  const std::string path = folder.path / "ledger.sqlite";
  {
    const auto ledger = Ledger::Open(path);
    ASSERT_TRUE(ledger.ok()) << ledger.status().ToString();
    for (int i = 0; i < 100; ++i) (*ledger)->Ended(Call("ann", 10, 3));
    (*ledger)->Ended(Call("bob", 7, 1));
    (*ledger)->Flush();
    const auto beside = Ledger::Totals(path, 0);  // while the server runs
    ASSERT_TRUE(beside.ok()) << beside.status().ToString();
    EXPECT_EQ(beside->size(), 2u);
    (*ledger)->Ended(Call("bob", 5, 2));
  }
  const auto again = Ledger::Open(path);
  ASSERT_TRUE(again.ok());
  const auto totals = Ledger::Totals(path, 0);
  ASSERT_TRUE(totals.ok());
  ASSERT_EQ(totals->size(), 2u);
  EXPECT_EQ(totals->at(0).key, "ann");
  EXPECT_EQ(totals->at(0).calls, 100);
  EXPECT_EQ(totals->at(0).prompt_tokens, 1000);
  EXPECT_EQ(totals->at(0).cached_tokens, 500);
  EXPECT_EQ(totals->at(0).generated_tokens, 300);
  EXPECT_DOUBLE_EQ(totals->at(0).seconds, 200);
  EXPECT_EQ(totals->at(1).calls, 2);
  const auto none = Ledger::Totals(path, std::int64_t{1} << 60);
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
}

TEST(Ledger, RefusesOtherFiles) {
  const Folder folder;
  const std::string path = folder.path / "text";
  std::ofstream(path) << std::string(5000, 'x');
  const auto ledger = Ledger::Open(path);
  ASSERT_FALSE(ledger.ok());
  EXPECT_FALSE(ledger.status().hint().empty());
  EXPECT_FALSE(Ledger::Open(fs::path(path) / "below a file").ok());
  EXPECT_FALSE(Ledger::Totals(folder.path / "absent", 0).ok());
}

TEST(Ledger, TakesWordsOfClientsAsData) {
  const Folder folder;
  const std::string path = folder.path / "ledger.sqlite";
  const std::string name = "x'); DROP TABLE calls; --";
  {
    const auto ledger = Ledger::Open(path);
    ASSERT_TRUE(ledger.ok());
    (*ledger)->Ended(Call(name, 1, 1));
  }
  const auto totals = Ledger::Totals(path, 0);
  ASSERT_TRUE(totals.ok());
  ASSERT_EQ(totals->size(), 1u);
  EXPECT_EQ(totals->at(0).key, name);
}

TEST(EnergyShare, SplitsWhatCallsUseTogether) {
  double joules = 100;
  EnergyShare share([&joules] { return std::optional<double>(joules); });
  share.Begin("a");
  joules += 10;  // a alone
  share.Begin("b");
  joules += 8;  // both
  EXPECT_DOUBLE_EQ(share.End("a").value(), 14);
  joules += 3;  // b alone
  EXPECT_DOUBLE_EQ(share.End("b").value(), 7);
  joules += 50;  // nobody
  share.Begin("c");
  EXPECT_DOUBLE_EQ(share.End("c").value(), 0);
  EXPECT_FALSE(share.End("unknown"));
  EnergyShare none([] { return std::optional<double>(); });
  none.Begin("a");
  EXPECT_FALSE(none.End("a"));
}

TEST(EnergyMeter, FollowsCountersThatWrapAround) {
  const Folder folder;
  const fs::path package = folder.path / "intel-rapl:0";
  fs::create_directories(package);
  fs::create_directories(folder.path / "intel-rapl:0:0");  // a part, which is not counted twice
  const auto write = [](const fs::path& path, long value) { std::ofstream(path) << value << '\n'; };
  write(package / "max_energy_range_uj", 1000000);
  write(package / "energy_uj", 900000);
  write(folder.path / "intel-rapl:0:0" / "energy_uj", 5);
  EnergyMeter meter(folder.path);
  EXPECT_DOUBLE_EQ(meter.Joules().value(), 0);
  write(package / "energy_uj", 950000);
  EXPECT_DOUBLE_EQ(meter.Joules().value(), 0.05);
  write(package / "energy_uj", 50000);
  EXPECT_DOUBLE_EQ(meter.Joules().value(), 0.15);
  EXPECT_FALSE(EnergyMeter(folder.path / "absent").Joules());
}

TEST(Metrics, CountsCallsAndReadsEngines) {
  Metrics metrics;
  metrics.SetEngines([] {
    EngineCounters reading;
    reading.prefixes.reasons = {{"evicted", 5}};
    reading.running = 3;
    reading.preemptions = 2;
    return Metrics::EngineReadings{{"tiny", reading}};
  });
  metrics.Started(Call("ann", 10, 3));
  metrics.Ended(Call("ann", 10, 3));
  CallRecord gone = Call("bob", 4, 1);
  gone.finish_reasons = {FinishReason::kCancelled};
  metrics.Ended(gone);
  metrics.Answered({.route = "/v1/models/{id}", .status = 404});
  metrics.Answered({.status = 403});
  metrics.Answered({.route = "/v1/models/{id}", .status = 404});
  const std::string text = metrics.Text();
  for (const char* line :
       {"vllm:num_requests_running{model_name=\"tiny\"} 3\n",
        "vllm:num_preemptions_total{model_name=\"tiny\"} 2\n",
        "hadal:prefix_cache_lookups_total{model_name=\"tiny\",reason=\"evicted\"} 5\n",
        "vllm:prompt_tokens_total{model_name=\"tiny\"} 14\n",
        "vllm:prompt_tokens_cached_total{model_name=\"tiny\"} 7\n",
        "vllm:generation_tokens_total{model_name=\"tiny\"} 4\n",
        "hadal:calls_started_total{model_name=\"tiny\"} 1\n",
        "hadal:http_requests_total{route=\"/v1/models/{id}\",status=\"404\"} 2\n",
        "hadal:http_requests_total{route=\"\",status=\"403\"} 1\n",
        "vllm:inter_token_latency_seconds_count{model_name=\"tiny\"} 4\n",
        "vllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"0.25\"} 0\n",
        "vllm:time_to_first_token_seconds_bucket{model_name=\"tiny\",le=\"0.5\"} 2\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  EXPECT_NE(text.find("finished_reason=\"abort\""), std::string::npos);
  EXPECT_EQ(text.find("ann"), std::string::npos) << "a key's name in a label";
}

TEST(RequestLog, KeepsALinePerCallWhateverTheClientSent) {
  CallRecord record = Call("a\nb\x1b[31m", 1, 1);
  record.request_id = "\xff";
  const std::string line = LogLine(record);
  for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
  EXPECT_EQ(nlohmann::json::parse(line)["key"], "a\nb\x1b[31m");
}

TEST(RequestLog, SaysWhatBecameOfARequest) {
  const auto line = nlohmann::json::parse(LogLine(RequestRecord{.route = "/v1/models/{id...}",
                                                                .method = "GET",
                                                                .key = "ann",
                                                                .request_id = "r1",
                                                                .status = 200,
                                                                .sent_bytes = 321,
                                                                .seconds = 0.0124,
                                                                .prompt_tokens = 5,
                                                                .generated_tokens = 2}));
  EXPECT_GT(line["time_ms"], 0);
  const auto wanted = nlohmann::json::parse(R"({"event":"request","request_id":"r1","key":"ann",
      "method":"GET","route":"/v1/models/{id...}","status":200,"bytes":321,"ms":12,
      "prompt_tokens":5,"generated_tokens":2})");
  for (const auto& [key, value] : wanted.items()) EXPECT_EQ(line[key], value) << key;
  EXPECT_EQ(line.size(), wanted.size() + 1);
}

TEST(RequestLog, DropsLinesThatNobodyReads) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  RequestLog log(ends[1]);
  std::thread writer([&log] {
    for (int i = 0; i < 2000; ++i) log.Ended(Call("ann", 10, 3));
  });
  writer.join();  // would hang on a full pipe
  EXPECT_GT(log.dropped(), 0);
  std::string read(1 << 20, '\0');
  ASSERT_GT(::read(ends[0], read.data(), read.size()), 0);
  log.Ended(Call("bob", 10, 3));
  const ssize_t more = ::read(ends[0], read.data(), read.size());
  ASSERT_GT(more, 0);
  const auto last = nlohmann::json::parse(read.substr(0, static_cast<std::size_t>(more)));
  EXPECT_EQ(last["dropped_lines"], log.dropped());
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace hadal
