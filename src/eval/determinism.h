// `hadal check determinism`: the same work under many settings must give the same token ids and the
// same bits of logits (docs/cli.md lists the settings).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/drafted_work.h"
#include "model/model.h"

namespace hadal {

// One way to do the work. What is not named is as in the first setting.
struct DeterminismSetting {
  std::string name;
  int threads = 0;         // 0: usable cores
  std::string isa;         // "" = the best there is
  std::int64_t chunk = 0;  // tokens of a prefill step; 0: all that fit
  int batch = 1;           // sequences of a step; the others hold other prompts
  enum class Cache : std::uint8_t {
    kFresh,
    kForked,
    kTruncated,   // after a detour that windows do not take back
    kRolledBack,  // after one that they do, as of wrong guesses
    kRestored,
  } cache = Cache::kFresh;
  KnownIn known = KnownIn::kNothing;   // likewise: a beginning that others computed
  DraftKind draft = DraftKind::kNone;  // another than none: through the engine's loop, alone
};

struct DeterminismOutcome {
  std::string name;
  std::string hash;  // SHA-256 over ids and logits of both temperatures
  bool ok = false;
};

struct DeterminismReport {
  int total = 0, passed = 0;
  std::vector<DeterminismOutcome> settings;
  bool ok() const { return total > 0 && passed == total; }
  std::string ToJson() const;
  std::string ToText() const;
};

struct DeterminismOptions {
  std::vector<std::int32_t> prompt;     // the work; empty: 300 seeded random ids
  int steps = 32;                       // decoded after the prompt, at temperature 0 and at 0.8
  std::vector<std::string> isa_levels;  // those to try; each runs in a child process
};

// Opens the model with these threads and this level.
using DeterminismFactory =
    std::function<Result<std::unique_ptr<Model>>(int threads, const std::string& isa)>;

// Does the work once and returns its hash.
Result<std::string> DeterminismHash(Model& model, const DeterminismSetting& setting,
                                    const DeterminismOptions& options);

// All settings. `child` runs one level in a process of its own and returns its hash: a level chosen
// at start is what users run.
Result<DeterminismReport> CheckDeterminism(
    const DeterminismFactory& open, const DeterminismOptions& options,
    const std::function<Result<std::string>(const std::string& isa)>& child);

}  // namespace hadal
