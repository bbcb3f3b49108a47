#include "eval/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/json.h"
#include "base/process_memory.h"
#include "base/random.h"
#include "engine/draft.h"
#include "eval/bandwidth.h"
#include "eval/bench_draft.h"
#include "eval/decode_run.h"
#include "eval/model_run.h"
#include "formats/hash.h"
#include "spec/cache_reads.h"
#include "spec/model_spec.h"

namespace hadal {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<std::vector<double>> TimePrefill(Model& model, const BenchOptions& options,
                                        BenchReport* report) {
  const auto ids = SomeIds(options.prompt_tokens, model.spec().vocabulary);
  std::vector<double> speeds;
  for (int run = 0; run < options.repeat; ++run) {
    const auto sequence = model.NewSequence();
    const Clock::time_point start = Clock::now();
    HADAL_ASSIGN_OR_RETURN(const auto logits, Feed(model, *sequence, ids, Positions::kLast));
    const double seconds = SecondsSince(start);
    speeds.push_back(static_cast<double>(ids.size()) / seconds);
    if (run == 0) report->first_token_seconds = report->load_seconds + seconds;
    report->logits_hash = Sha256(std::as_bytes(std::span(logits)));
  }
  return speeds;
}

// `others` is what the measurement holds itself.
void NoteMemory(BenchReport* report, std::uint64_t others) {
  const std::uint64_t now = MeasureProcessMemory().anonymous_bytes;
  report->peak_anonymous_bytes =
      std::max(report->peak_anonymous_bytes, now - std::min(now, others));
}

// Steps and sweeps take turns, so that both see the same noise of the machine.
Status TimeDecode(Model& model, const BenchOptions& options, BenchReport* report) {
  const std::uint64_t before_buffer = MeasureProcessMemory().anonymous_bytes;
  HADAL_ASSIGN_OR_RETURN(const auto bandwidth,
                         ReadBandwidth::Create(options.threads, options.sweep_bytes));
  const std::uint64_t buffer_bytes = MeasureProcessMemory().anonymous_bytes - before_buffer;
  // It belongs to loading, and takes a core for a third of a second for 9 GB.
  model.WaitUntilMapped();
  std::vector<double> speeds, ratios, sweeps;
  const double batch = static_cast<double>(options.batch);
  for (int repeat = 0; repeat < options.repeat; ++repeat) {
    HADAL_ASSIGN_OR_RETURN(DecodeRun run, StartDecode(model, options));
    std::span<const float> logits;
    HADAL_RETURN_IF_ERROR(DecodeGreedily(model, &run, &logits));  // the first token is not timed
    double decode_seconds = 0;
    for (std::int64_t at = 0; at < options.generate_tokens; ++at) {
      const std::uint64_t before = model.ops().weight_bytes_read();
      const std::int64_t depth = run.sequences.front()->length();
      const Clock::time_point start = Clock::now();
      HADAL_RETURN_IF_ERROR(DecodeGreedily(model, &run, &logits));
      const double seconds = SecondsSince(start);
      decode_seconds += seconds;
      const double bytes = static_cast<double>(model.ops().weight_bytes_read() - before) +
                           batch * CacheReadBytes(model.spec(), model.ops().profile(), depth);
      report->bytes_per_token = bytes / batch;
      constexpr std::int64_t kStepsPerSweep = 8;
      if (at % kStepsPerSweep != 0) continue;
      sweeps.push_back(bandwidth->Sweep(options.sweep_seconds));
      ratios.push_back(bytes / seconds / sweeps.back());
    }
    speeds.push_back(batch * static_cast<double>(options.generate_tokens) / decode_seconds);
    report->logits_hash = Sha256(std::as_bytes(logits));
    NoteMemory(report, buffer_bytes);
  }
  report->decode_tokens_per_second = Spread::Of(speeds);
  report->bandwidth_ratio = Spread::Of(ratios).median;
  report->read_bandwidth_bytes_per_second = Spread::Of(sweeps).median;
  return {};
}

std::string SpreadJson(const std::optional<Spread>& spread) {
  if (!spread) return "null";
  return fmt::format(R"({{"min":{},"median":{},"max":{}}})", spread->min, spread->median,
                     spread->max);
}

std::string DraftJson(const std::optional<DraftBench>& draft) {
  if (!draft) return "null";
  return fmt::format(
      R"({{"tokens":{},"steps":{},"accepted_tokens":{},"plain_tokens_per_second":{},)"
      R"("tokens_per_second":{},"speed_up":{},"weight_bytes_ratio":{}}})",
      draft->tokens, draft->steps, draft->accepted_tokens,
      SpreadJson(draft->plain_tokens_per_second), SpreadJson(draft->tokens_per_second),
      draft->speed_up, draft->weight_bytes_ratio);
}

}  // namespace

Spread Spread::Of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.back()};
}

Result<BenchReport> Bench(const std::string& name,
                          const std::function<Result<std::unique_ptr<Model>>()>& open,
                          const BenchOptions& options) {
  if (options.batch < 1 || options.repeat < 1 || options.prompt_tokens < 0 ||
      options.generate_tokens < 0 || options.depth_tokens < 0)
    return UsageError("bench", "a negative or zero count", "positive counts",
                      "see hadal bench --help");
  if (options.draft_tokens < 0 || options.draft_tokens > kMostDraftTokens)
    return UsageError("draft tokens", std::to_string(options.draft_tokens),
                      "at most " + std::to_string(kMostDraftTokens), "4 suits most");
  if (options.draft_tokens > 0 && options.generate_tokens == 0)
    return UsageError("draft", "no generated tokens", "some tokens to guess",
                      "give --generate a count");
  BenchReport report;
  report.model = name;
  const Clock::time_point start = Clock::now();
  HADAL_ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, open());
  report.load_seconds = SecondsSince(start);
  report.isa = model->ops().level();
  report.threads = options.threads > 0 ? options.threads : UsableCores();
  report.depth = options.depth_tokens;
  report.batch = options.batch;
  report.filled = options.fill && options.depth_tokens > 0;
  if (options.prompt_tokens > 0) {
    HADAL_ASSIGN_OR_RETURN(const auto speeds, TimePrefill(*model, options, &report));
    report.prefill_tokens_per_second = Spread::Of(speeds);
  }
  NoteMemory(&report, 0);
  if (options.generate_tokens > 0) HADAL_RETURN_IF_ERROR(TimeDecode(*model, options, &report));
  if (options.draft_tokens > 0) {
    HADAL_ASSIGN_OR_RETURN(report.draft, BenchReplay(*model, options));
  }
  return report;
}

std::string BenchReport::ToJson() const {
  std::string quoted_name;
  AppendJsonString(&quoted_name, model);
  return fmt::format(
      R"({{"model":{},"isa":"{}","threads":{},"depth":{},"batch":{},"filled":{},)"
      R"("prefill_tokens_per_second":{},"decode_tokens_per_second":{},"bytes_per_token":{},)"
      R"("read_bandwidth_bytes_per_second":{},"bandwidth_ratio":{},"first_token_seconds":{},)"
      R"("load_seconds":{},"peak_anonymous_bytes":{},"logits_hash":"{}","draft":{}}})",
      quoted_name, isa, threads, depth, batch, filled, SpreadJson(prefill_tokens_per_second),
      SpreadJson(decode_tokens_per_second), bytes_per_token, read_bandwidth_bytes_per_second,
      bandwidth_ratio, first_token_seconds, load_seconds, peak_anonymous_bytes, logits_hash,
      DraftJson(draft));
}

std::string BenchReport::ToText() const {
  std::string text = fmt::format("{}: {}, {} threads, depth {}{}, batch {}\n", model, isa, threads,
                                 depth, filled ? " (filled synthetically)" : "", batch);
  const auto line = [&text](const char* what, const std::optional<Spread>& spread) {
    if (spread)
      text += fmt::format("  {}  {:.1f} tokens/s (min {:.1f}, max {:.1f})\n", what, spread->median,
                          spread->min, spread->max);
  };
  line("prefill", prefill_tokens_per_second);
  line("decode ", decode_tokens_per_second);
  constexpr double kGiga = 1e9, kMega = 1e6;
  if (decode_tokens_per_second)
    text += fmt::format(
        "  reads   {:.1f} MB a token: {:.2f} of {:.1f} GB/s that this machine reads\n",
        bytes_per_token / kMega, bandwidth_ratio, read_bandwidth_bytes_per_second / kGiga);
  if (draft)
    text += fmt::format(
        "  replay  {:.1f} tokens/s with {} right guesses a step: {:.2f} times the {:.1f} without; "
        "a "
        "step reads {:.2f} times the weights\n",
        draft->tokens_per_second.median, draft->tokens, draft->speed_up,
        draft->plain_tokens_per_second.median, draft->weight_bytes_ratio);
  text +=
      fmt::format("  load    {:.3f} s, first token {:.3f} s, {:.0f} MB of own memory, logits {}\n",
                  load_seconds, first_token_seconds,
                  static_cast<double>(peak_anonymous_bytes) / kMega, logits_hash.substr(0, 16));
  return text;
}

}  // namespace hadal
