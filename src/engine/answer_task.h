// AnswerTask: one answer on its way. Chooses tokens, turns them into events and shows them to the
// sink, all on the loop's thread. A sink that throws ends its answer and nothing else.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "engine/answer_control.h"
#include "engine/answer_guide.h"
#include "engine/answer_reader.h"
#include "engine/step.h"
#include "hadal/generate.h"
#include "sample/sampler.h"

namespace hadal {

class AnswerTask : public StepTask {
 public:
  // `tokenizer` may be null: then the events hold ids alone. `guide` may be null too. `sink` may be
  // empty. `control` is set by others; a sink that wants no more cancels.
  AnswerTask(const GenerateRequest& request, PreparedPrompt prompt,
             std::shared_ptr<const Tokenizer> tokenizer, std::unique_ptr<AnswerGuide> guide,
             GenerateSink sink, std::shared_ptr<AnswerControl> control);

  bool cancelled() const override { return control_->cancelled.load(std::memory_order_relaxed); }
  Status lapsed() const override;
  void Resume(std::int64_t cached, std::int64_t replayed) override;
  void Progress(std::int64_t done, std::int64_t total) override;
  Result<Choice> Choose(std::span<const float> logits, std::int64_t position) override;
  void Drafted(std::int64_t guessed, std::int64_t right) override;
  void End(const Status& status) override;

 private:
  using Clock = std::chrono::steady_clock;

  void Emit(const GenerateEvent& event);
  Result<Choice> Given(std::span<const float> logits, std::int64_t position);
  Timings MeasuredTimings() const;

  const PreparedPrompt prompt_;
  Sampler sampler_;
  std::optional<AnswerReader> reader_;
  std::unique_ptr<AnswerGuide> guide_;
  GenerateSink sink_;
  std::shared_ptr<AnswerControl> control_;

  double first_token_bound_ = 0.0, total_bound_ = 0.0;  // seconds; 0: none
  std::int64_t most_tokens_ = 0;                        // 0: no bound but the loop's
  bool reports_probabilities_ = false, reports_prompt_ = false;
  bool ended_ = false;  // by an ending token or a stop string, or because its form is complete
  Usage usage_;
  Clock::time_point begin_ = Clock::now(), first_token_{}, last_token_{}, last_step_{};
  Clock::duration plain_time_{};  // of steps after the first token that had no guesses
  std::int64_t plain_steps_ = 0;
};

}  // namespace hadal
