// Running a model over ids, for checks and measurements: prompts in chunks, greedy continuations,
// observation and injection of residual streams.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "model/model.h"

namespace hadal {

// Opens the model under test in a profile; the caller has fixed path, threads and level.
using ModelFactory = std::function<Result<std::unique_ptr<Model>>(Profile profile)>;

// Feeds `ids` in chunks of at most `chunk` tokens (0: the largest step); returns the logits of
// every position [ids, vocabulary], or of the last one only.
enum class Positions : std::uint8_t { kAll, kLast };
Result<std::vector<float>> Feed(Model& model, SequenceCache& sequence,
                                std::span<const std::int32_t> ids, Positions positions,
                                std::int64_t chunk = 0, StepObserver* observer = nullptr);

// The first of the largest values.
std::int32_t Greediest(std::span<const float> logits);

// Continues a fed sequence greedily: `logits` are those of its last position.
Result<std::vector<std::int32_t>> ContinueGreedily(Model& model, SequenceCache& sequence,
                                                   std::span<const float> logits, int steps);

// What passed between layers while a prompt was fed in one or several steps.
struct Trace {
  std::vector<std::vector<float>> residual;           // per layer + 1: [rows, hidden]
  std::vector<std::vector<std::int32_t>> expert_ids;  // per layer: [rows, per token], or empty
  std::int64_t experts_per_token = 0;
};

// Records into `trace`; where `inject` is not empty it is [layers + 1, rows, hidden] and every
// layer starts from its part (what is recorded for layer l + 1 is then the result of layer l
// alone).
class TracingObserver : public StepObserver {
 public:
  TracingObserver(Trace* trace, int layers, std::span<const float> inject)
      : trace_(trace), layers_(layers), inject_(inject) {}
  void Residual(int layer, std::int64_t rows, std::int64_t hidden, float* values) override;
  void Experts(int layer, std::int64_t rows, std::int64_t per_token,
               const std::int32_t* ids) override;

 private:
  Trace* trace_;
  int layers_;
  std::span<const float> inject_;
  std::int64_t fed_rows_ = 0;  // before this step
};

}  // namespace hadal
