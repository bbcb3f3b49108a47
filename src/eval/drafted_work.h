// The work of `hadal check determinism` with drafting: through the engine's own loop, whose tasks
// write down what they see.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/model.h"

namespace hadal {

enum class DraftKind : std::uint8_t { kNone, kNgram, kWrong, kReplay, kModel };

// What a timeline's continuation came to: its tokens, and the bits of their logits.
struct Continuation {
  std::vector<std::int32_t> ids;  // [steps]
  std::string first_logits;       // of the prompt's last token
  std::string record;             // id and the logits after it, for each of the steps
};

// Continues `prompt` for `steps` tokens at a temperature. `known` is the continuation itself, for
// the drafts that are made of it.
Result<Continuation> ContinueDrafted(Model& model, const std::vector<std::int32_t>& prompt,
                                     DraftKind kind, const std::vector<std::int32_t>& known,
                                     float temperature, std::uint64_t seed, int steps);

// The same, on a timeline that begins with what others left of the prompt: kept in memory, or in
// files by an engine that is gone. Fails where nothing was found of a prompt of 300 tokens or more.
enum class KnownIn : std::uint8_t { kNothing, kMemory, kFiles };
Result<Continuation> ContinueKnown(Model& model, const std::vector<std::int32_t>& prompt,
                                   KnownIn where, float temperature, std::uint64_t seed, int steps);

}  // namespace hadal
