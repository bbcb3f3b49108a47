#include "engine/answer_task.h"

#include <algorithm>

namespace hadal {

AnswerTask::AnswerTask(const GenerateRequest& request, PreparedPrompt prompt,
                       std::shared_ptr<const Tokenizer> tokenizer,
                       std::unique_ptr<AnswerGuide> guide, GenerateSink sink,
                       std::shared_ptr<AnswerControl> control)
    : prompt_(std::move(prompt)),
      sampler_(request.sampling, prompt_.ids),
      guide_(std::move(guide)),
      sink_(std::move(sink)),
      control_(std::move(control)) {
  first_token_bound_ = request.first_token_seconds;
  total_bound_ = request.total_seconds;
  reports_probabilities_ = request.sampling.log_probabilities >= 0;
  reports_prompt_ = request.prompt_log_probabilities;
  if (tokenizer != nullptr) reader_.emplace(std::move(tokenizer), prompt_, request.stops);
  usage_.prompt_tokens = prompt_.tokens();
  most_tokens_ = request.max_tokens;
}

void AnswerTask::Emit(const GenerateEvent& event) {
  if (!sink_) return;
  bool more = false;
  try {
    more = sink_(event);
  } catch (...) {  // the caller's code: its answer ends, and no other
  }
  if (!more) control_->cancelled = true;
}

Status AnswerTask::lapsed() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  const auto late = [seconds](const char* what, double bound) {
    return Status(Code::kDeadline, "request", std::to_string(seconds) + " seconds " + what,
                  "at most " + std::to_string(bound),
                  "allow more time, or ask when less is going on");
  };
  if (total_bound_ > 0.0 && seconds > total_bound_) return late("without an end", total_bound_);
  if (first_token_bound_ > 0.0 && usage_.generated_tokens == 0 && seconds > first_token_bound_)
    return late("without a first token", first_token_bound_);
  return {};
}

void AnswerTask::Resume(std::int64_t cached, std::int64_t replayed) {
  usage_.cached_tokens = cached;
  usage_.replayed_tokens = replayed;
  if (!reports_prompt_) return;
  GenerateEvent event;  // of the first token nothing is known
  event.kind = GenerateEvent::Kind::kPrompt;
  event.token = prompt_.ids.front();
  Emit(event);
}

void AnswerTask::Progress(std::int64_t done, std::int64_t total) {
  GenerateEvent event;
  event.kind = GenerateEvent::Kind::kPrefill;
  event.prompt_done = done;
  event.prompt_total = total;
  event.usage = usage_;
  Emit(event);
}

// A token of the prompt that the loop took for one to be chosen.
Result<StepTask::Choice> AnswerTask::Given(std::span<const float> logits, std::int64_t position) {
  HADAL_ASSIGN_OR_RETURN(
      SampledToken given,
      sampler_.Given(logits, position, prompt_.ids[static_cast<std::size_t>(position)]));
  GenerateEvent event;
  event.kind = GenerateEvent::Kind::kPrompt;
  event.token = given.token;
  event.log_probability = given.log_probability;
  event.top_log_probabilities = std::move(given.top);
  Emit(event);
  return Choice{given.token, false};
}

Result<StepTask::Choice> AnswerTask::Choose(std::span<const float> logits, std::int64_t position) {
  if (position < std::ssize(prompt_.ids)) return Given(logits, position);
  AnswerGuide* guide = guide_ && !guide_->idle() ? guide_.get() : nullptr;
  if (guide != nullptr) {
    if (control_->ends_reasoning.load(std::memory_order_relaxed)) guide->EndReasoning();
    HADAL_RETURN_IF_ERROR(guide->Prepare());
  }
  const std::size_t owed = guide != nullptr ? guide->owed_bytes() : 0;
  HADAL_ASSIGN_OR_RETURN(SampledToken sampled, sampler_.Next(logits, position, guide));
  if (guide != nullptr) HADAL_RETURN_IF_ERROR(guide->Accept(sampled.token));
  if (owed > 0 && guide->gave_back()) {  // nothing of the answer yet
    ended_ = guide->complete();
    return Choice{sampled.token, ended_};
  }
  last_token_ = Clock::now();
  if (usage_.generated_tokens++ == 0) first_token_ = last_token_;
  GenerateEvent event;
  event.token = sampled.token;
  if (reports_probabilities_) event.log_probability = sampled.log_probability;
  event.top_log_probabilities = std::move(sampled.top);
  // The ending token is part of the ids and not of the text.
  ended_ = std::find(prompt_.ends.begin(), prompt_.ends.end(), sampled.token) != prompt_.ends.end();
  if (!ended_ && reader_) {
    bool reasoning = reader_->in_reasoning();
    reader_->Push(sampled.token, owed, &event);
    reasoning |= reader_->in_reasoning();
    if (reasoning) ++usage_.reasoning_tokens;
    if (guide != nullptr) guide->Follow(reader_->has_answer(), reader_->in_reasoning());
    ended_ = reader_->stopped() || (guide_ && guide_->complete());
  }
  Emit(event);
  return Choice{sampled.token, ended_ || usage_.generated_tokens == most_tokens_};
}

void AnswerTask::Drafted(std::int64_t guessed, std::int64_t right) {
  usage_.draft_tokens += guessed;
  usage_.accepted_draft_tokens += right;
  const Clock::time_point now = Clock::now();
  if (guessed == 0 && last_step_ != Clock::time_point{}) {
    plain_time_ += now - last_step_;
    ++plain_steps_;
  }
  last_step_ = now;
}

Timings AnswerTask::MeasuredTimings() const {
  const auto seconds = [](Clock::duration time) {
    return std::chrono::duration<double>(time).count();
  };
  Timings timings;
  if (usage_.generated_tokens == 0) return timings;
  timings.prefill_seconds = seconds(first_token_ - begin_);
  timings.decode_seconds = seconds(last_token_ - first_token_);
  if (plain_steps_ > 0)
    timings.plain_step_seconds = seconds(plain_time_) / static_cast<double>(plain_steps_);
  return timings;
}

void AnswerTask::End(const Status& status) {
  GenerateEvent event;
  event.usage = usage_;
  event.timings = MeasuredTimings();
  if (!status.ok() && status.code() != Code::kCancelled) {
    event.kind = GenerateEvent::Kind::kFailed;
    event.failure = status;
  } else {
    event.kind = GenerateEvent::Kind::kEnd;
    if (reader_) reader_->Finish(/*ended=*/ended_ && status.ok(), &event);
    if (reader_ && reader_->stopped()) event.stop = reader_->stop();
    event.finish_reason = FinishReason::kLength;
    if (ended_)
      event.finish_reason =
          reader_ && reader_->called() ? FinishReason::kToolCalls : FinishReason::kStop;
    if (!status.ok()) event.finish_reason = FinishReason::kCancelled;
  }
  Emit(event);
  sink_ = nullptr;  // it may hold what waits for the end
}

}  // namespace hadal
