#include "eval/determinism.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/random.h"
#include "eval/model_run.h"
#include "formats/hash.h"
#include "sample/sampler.h"
#include "spec/model_spec.h"

namespace hadal {
namespace {

constexpr std::int64_t kPromptTokens = 300;
constexpr std::uint64_t kSeed = 20261121;

std::vector<std::int32_t> RandomIds(std::uint64_t stream, std::int64_t count,
                                    std::int64_t vocabulary) {
  Random random(kSeed, stream);
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < count; ++i)
    ids.push_back(static_cast<std::int32_t>(random.Below(static_cast<std::uint64_t>(vocabulary))));
  return ids;
}

// Other sequences of the same steps: each works through a prompt of its own, in chunks of its own,
// and then goes on token by token.
class Company {
 public:
  Company(Model& model, int count) : vocabulary_(model.spec().vocabulary) {
    for (int i = 0; i < count; ++i) others_.push_back({model.NewSequence(), i, {}});
  }

  // Adds as many of them as fit into the step beside `taken` rows.
  void Join(std::int64_t step_tokens, std::int64_t taken, Batch* batch) {
    wanted_.assign(static_cast<std::size_t>(step_tokens), Wanted::kNone);
    for (Other& other : others_) {
      const std::int64_t chunk = other.number % 3 == 0 ? 1 : 1 + 5 * (other.number % 4);
      const std::int64_t count = std::min(chunk, step_tokens - taken);
      if (count <= 0) return;
      other.next = RandomIds(static_cast<std::uint64_t>(1000 + 100000 * other.number) +
                                 static_cast<std::uint64_t>(other.sequence->length()),
                             count, vocabulary_);
      batch->segments.push_back(
          {other.sequence.get(), other.next, std::span(wanted_).first(other.next.size())});
      taken += count;
    }
  }

 private:
  struct Other {
    std::unique_ptr<SequenceCache> sequence;
    int number = 0;
    std::vector<std::int32_t> next;
  };
  std::int64_t vocabulary_;
  std::vector<Other> others_;
  std::vector<Wanted> wanted_;
};

// The timeline under test, fed alone or in company.
class Work {
 public:
  Work(Model& model, const DeterminismSetting& setting)
      : model_(model), setting_(setting), company_(model, setting.batch - 1) {}

  // Feeds ids in the setting's chunks; the logits of the last one.
  Result<std::vector<float>> Feed(SequenceCache& sequence, std::span<const std::int32_t> ids) {
    const std::int64_t most = model_.options().step_tokens;
    const std::int64_t chunk = setting_.chunk > 0 ? std::min(setting_.chunk, most) : most;
    std::vector<float> last;
    for (std::size_t at = 0; at < ids.size(); at += static_cast<std::size_t>(chunk)) {
      const auto part = ids.subspan(at, std::min(static_cast<std::size_t>(chunk), ids.size() - at));
      std::vector<Wanted> wanted(part.size(), Wanted::kNone);
      if (at + part.size() == ids.size()) wanted.back() = Wanted::kLogits;
      Batch batch{{{&sequence, part, wanted}}};
      company_.Join(most, static_cast<std::int64_t>(part.size()), &batch);
      std::span<const float> logits;
      HADAL_RETURN_IF_ERROR(model_.Step(batch, &logits));
      last.assign(logits.begin(), logits.end());
    }
    return last;
  }

  // A timeline that holds `ids`, by the setting's way through the cache; `last` gets its logits.
  Result<std::unique_ptr<SequenceCache>> Prepare(std::span<const std::int32_t> ids,
                                                 std::vector<float>* last) {
    using Cache = DeterminismSetting::Cache;
    auto sequence = model_.NewSequence();
    if (setting_.cache == Cache::kFresh) {
      HADAL_ASSIGN_OR_RETURN(*last, Feed(*sequence, ids));
      return sequence;
    }
    const std::size_t half = ids.size() / 2;
    // Longer than kRollbackTokens, or as short as guesses are.
    const std::int64_t away = setting_.cache == Cache::kRolledBack ? 5 : 70;
    const std::vector<std::int32_t> detour = RandomIds(7, away, model_.spec().vocabulary);
    if (half > 0) {
      HADAL_RETURN_IF_ERROR(Feed(*sequence, ids.first(half)).status());
    }
    const auto moment = sequence->Snapshot();
    auto fork = sequence->Fork();
    HADAL_RETURN_IF_ERROR(Feed(*sequence, detour).status());
    if (setting_.cache == Cache::kForked) std::swap(sequence, fork);
    if (setting_.cache == Cache::kTruncated || setting_.cache == Cache::kRolledBack)
      sequence->Truncate(static_cast<std::int64_t>(half));
    if (setting_.cache == Cache::kRestored) sequence->Restore(*moment);
    // Where windows were forgotten, less than the half is left.
    const auto held = static_cast<std::size_t>(sequence->length());
    HADAL_ASSIGN_OR_RETURN(*last, Feed(*sequence, ids.subspan(held)));
    return sequence;
  }

 private:
  Model& model_;
  const DeterminismSetting& setting_;
  Company company_;
};

void AppendBits(std::string* record, const void* from, std::size_t bytes) {
  record->append(static_cast<const char*>(from), bytes);
}

// Continues for `steps` tokens at a temperature; adds ids and logits to the record.
Status Continue(Work& work, SequenceCache& sequence, std::vector<float> logits, float temperature,
                int steps, std::string* record) {
  SamplingOptions options;
  options.temperature = temperature;
  options.seed = kSeed;
  Sampler sampler(options, sequence.ids());
  for (int step = 0; step < steps; ++step) {
    HADAL_ASSIGN_OR_RETURN(const SampledToken sampled, sampler.Next(logits, sequence.length()));
    AppendBits(record, &sampled.token, sizeof(sampled.token));
    HADAL_ASSIGN_OR_RETURN(logits, work.Feed(sequence, std::span(&sampled.token, 1)));
    AppendBits(record, logits.data(), logits.size() * sizeof(float));
  }
  return {};
}

std::string HashOf(const std::string& record) {
  return Sha256(ByteSpan(reinterpret_cast<const std::byte*>(record.data()), record.size()));
}

// The same record with drafting, of which the engine's loop takes care.
Result<std::string> DraftedHash(Model& model, const std::vector<std::int32_t>& prompt,
                                DraftKind draft, float temperature, int steps) {
  std::string record;
  for (const float degree : {0.0f, temperature}) {
    Continuation plain;
    if (draft == DraftKind::kReplay || draft == DraftKind::kWrong) {
      HADAL_ASSIGN_OR_RETURN(
          plain, ContinueDrafted(model, prompt, DraftKind::kNone, {}, degree, kSeed, steps));
    }
    HADAL_ASSIGN_OR_RETURN(const Continuation found,
                           ContinueDrafted(model, prompt, draft, plain.ids, degree, kSeed, steps));
    if (record.empty()) record = found.first_logits;
    record += found.record;
  }
  return HashOf(record);
}

// And on timelines that begin with what others left.
Result<std::string> KnownHash(Model& model, const std::vector<std::int32_t>& prompt, KnownIn known,
                              float temperature, int steps) {
  std::string record;
  for (const float degree : {0.0f, temperature}) {
    HADAL_ASSIGN_OR_RETURN(const Continuation found,
                           ContinueKnown(model, prompt, known, degree, kSeed, steps));
    if (record.empty()) record = found.first_logits;
    record += found.record;
  }
  return HashOf(record);
}

std::vector<DeterminismSetting> AllSettings(bool has_draft_layers) {
  using Cache = DeterminismSetting::Cache;
  std::vector<DeterminismSetting> settings;
  const auto add = [&settings](std::string name) -> DeterminismSetting& {
    settings.push_back({});
    settings.back().name = std::move(name);
    return settings.back();
  };
  add("plain");
  for (const int batch : {2, 3, 8, 17}) add("batch " + std::to_string(batch)).batch = batch;
  for (const std::int64_t chunk : {1, 7, 64}) add("chunk " + std::to_string(chunk)).chunk = chunk;
  add("cache forked").cache = Cache::kForked;
  add("cache truncated").cache = Cache::kTruncated;
  add("cache rolled back").cache = Cache::kRolledBack;
  add("cache restored").cache = Cache::kRestored;
  DeterminismSetting& replayed = add("chunk 64, cache truncated");  // from a snapshot at 128
  replayed.chunk = 64;
  replayed.cache = Cache::kTruncated;
  add("prefix cache ram").known = KnownIn::kMemory;
  add("prefix cache disk").known = KnownIn::kFiles;
  add("draft ngram").draft = DraftKind::kNgram;
  add("draft wrong").draft = DraftKind::kWrong;
  add("draft replay").draft = DraftKind::kReplay;
  if (has_draft_layers) add("draft model").draft = DraftKind::kModel;
  DeterminismSetting& mixed = add("batch 3, chunk 7, cache forked");
  mixed.batch = 3;
  mixed.chunk = 7;
  mixed.cache = Cache::kForked;
  return settings;
}

}  // namespace

Result<std::string> DeterminismHash(Model& model, const DeterminismSetting& setting,
                                    const DeterminismOptions& options) {
  const std::vector<std::int32_t> prompt =
      options.prompt.empty() ? RandomIds(0, kPromptTokens, model.spec().vocabulary)
                             : options.prompt;
  constexpr float kTemperature = 0.8f;
  if (setting.draft != DraftKind::kNone)
    return DraftedHash(model, prompt, setting.draft, kTemperature, options.steps);
  if (setting.known != KnownIn::kNothing)
    return KnownHash(model, prompt, setting.known, kTemperature, options.steps);
  Work work(model, setting);
  std::vector<float> logits;
  HADAL_ASSIGN_OR_RETURN(const auto greedy, work.Prepare(prompt, &logits));
  const auto sampled = greedy->Fork();
  std::string record;
  AppendBits(&record, logits.data(), logits.size() * sizeof(float));
  HADAL_RETURN_IF_ERROR(Continue(work, *greedy, logits, 0.0f, options.steps, &record));
  HADAL_RETURN_IF_ERROR(Continue(work, *sampled, logits, kTemperature, options.steps, &record));
  return HashOf(record);
}

Result<DeterminismReport> CheckDeterminism(
    const DeterminismFactory& open, const DeterminismOptions& options,
    const std::function<Result<std::string>(const std::string& isa)>& child) {
  DeterminismReport report;
  const auto add = [&report](const std::string& name, const std::string& hash) {
    const bool ok = report.settings.empty() || hash == report.settings.front().hash;
    report.settings.push_back({name, hash, ok});
    report.total++;
    report.passed += ok;
  };
  {
    HADAL_ASSIGN_OR_RETURN(const auto model, open(0, ""));
    for (const DeterminismSetting& setting : AllSettings(model->draft_layers() != nullptr)) {
      HADAL_ASSIGN_OR_RETURN(const std::string hash, DeterminismHash(*model, setting, options));
      add(setting.name, hash);
    }
  }
  for (const int threads : {1, 2, 3}) {
    HADAL_ASSIGN_OR_RETURN(const auto model, open(threads, ""));
    HADAL_ASSIGN_OR_RETURN(const std::string hash, DeterminismHash(*model, {}, options));
    add("threads " + std::to_string(threads), hash);
  }
  for (const std::string& isa : options.isa_levels) {
    HADAL_ASSIGN_OR_RETURN(const std::string hash, child(isa));
    add("isa " + isa, hash);
  }
  return report;
}

std::string DeterminismReport::ToJson() const {
  std::string all, failures;
  for (const DeterminismOutcome& one : settings) {
    const std::string ok_text = one.ok ? "true" : "false";
    all += (all.empty() ? "" : ",") + std::string("{\"name\":\"") + one.name + "\",\"hash\":\"" +
           one.hash + "\",\"ok\":" + ok_text + "}";
    if (!one.ok) failures += (failures.empty() ? "\"" : ",\"") + one.name + "\"";
  }
  return std::string("{\"ok\":") + (ok() ? "true" : "false") +
         ",\"total\":" + std::to_string(total) + ",\"passed\":" + std::to_string(passed) +
         ",\"failures\":[" + failures + "],\"disputed\":{\"total\":0,\"passed\":0},\"settings\":[" +
         all + "]}";
}

std::string DeterminismReport::ToText() const {
  std::string text = (ok() ? "ok: " : "FAILED: ") + std::to_string(passed) + " of " +
                     std::to_string(total) + " settings give the same bits\n";
  constexpr std::size_t kShown = 16;  // of a hash
  for (const DeterminismOutcome& one : settings)
    text +=
        "  " + one.hash.substr(0, kShown) + "  " + (one.ok ? "" : "DIFFERS  ") + one.name + "\n";
  return text;
}

}  // namespace hadal
