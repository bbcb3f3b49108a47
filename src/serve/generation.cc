#include "serve/generation.h"

#include <chrono>
#include <optional>

#include "base/unix_time.h"
#include "serve/service.h"

namespace hadal {
namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start, Clock::time_point now) {
  return std::chrono::duration<double>(now - start).count();
}

// One answer of a call.
struct AnswerState {
  std::shared_ptr<Answer> answer;  // null before it starts and once it has ended
  bool started = false, ended = false;
  bool reasoning = false;  // its last text was reasoning
  std::optional<Clock::time_point> last_token;
};

// A call on its way. Everything but the engine's sinks runs on the exchange's strand. It holds
// itself until every answer has ended, and lets go of the engine there: the last hand on it may be
// the engine's own thread.
class RunningCall : public std::enable_shared_from_this<RunningCall> {
 public:
  RunningCall(std::shared_ptr<Service> service, ServedModel model, Call call,
              std::shared_ptr<Exchange> exchange, std::unique_ptr<AnswerWriter> writer)
      : service_(std::move(service)),
        model_(std::move(model)),
        call_(std::move(call)),
        exchange_(std::move(exchange)),
        writer_(std::move(writer)),
        answers_(static_cast<std::size_t>(call_.answer_count())) {
    const HttpRequest& request = exchange_->request();
    record_.key = request.key->name;
    record_.path = request.path;
    record_.request_id = request.id;
    record_.model = model_.name;
  }

  void Run() {
    if (const auto error = Prepare()) return Fail(*error);
    const auto self = self_ = shared_from_this();
    running_ = service_->AddRunning(
        {.end_call = [self] { self->exchange_->Post([self] { self->ShutDown(); }); },
         .key = record_.key,
         .answer_id = writer_->id(),
         .end_reasoning = [self] { self->exchange_->Post([self] { self->EndReasoning(); }); }});
    for (const auto& observer : service_->observers()) observer->Started(record_);
    exchange_->OnGone([self] { self->Gone(); });
    if (over_) return;
    // The first choice of each prompt; the others follow when its prompt is known, and share it.
    for (int prompt = 0; prompt < call_.prompt_count() && !over_; ++prompt)
      StartAnswer(prompt * call_.choices);
    if (over_) return;
    const std::weak_ptr<RunningCall> weak = self;
    exchange_->After(Exchange::kBeginSeconds, [weak] {
      if (const auto call = weak.lock(); call && !call->over_) call->Begin();
    });
    exchange_->After(service_->limits().first_token_seconds, [weak] {
      if (const auto call = weak.lock(); call && call->record_.first_token_seconds < 0)
        call->Fail({.kind = ErrorKind::kTimeout,
                    .message = "no token came in time",
                    .code = "first_token_timeout"});
    });
    exchange_->After(service_->limits().total_seconds, [weak] {
      if (const auto call = weak.lock()) call->EndInTime();
    });
  }

 private:
  // What can be said before the engine is asked.
  std::optional<ApiError> Prepare() {
    const ApiKey& key = *exchange_->request().key;
    if (call_.answer_count() > service_->limits().most_answers)
      return InvalidField("n", "more than " + std::to_string(service_->limits().most_answers) +
                                   " answers to one call");
    auto ticket = service_->admission().Enter(key, call_.answer_count());
    if (!ticket.ok()) return ticket.error();
    ticket_ = std::move(*ticket);
    GenerateRequest& request = call_.request;
    request.tenant = key.name;
    request.priority = key.priority;
    request.must_answer = true;
    // Keys never share prefixes, nor do the users that a client tells apart. A name has no NUL.
    request.cache_space = key.name + std::string(1, '\0') + call_.cache_salt;
    if (key.most_tokens > 0 && (request.max_tokens == 0 || request.max_tokens > key.most_tokens))
      request.max_tokens = key.most_tokens;
    return std::nullopt;
  }

  void StartAnswer(int index) {
    AnswerState& state = answers_[static_cast<std::size_t>(index)];
    state.started = true;
    GenerateRequest request = call_.request;
    if (!call_.prompts.empty())
      request.prompt = call_.prompts[static_cast<std::size_t>(index / call_.choices)];
    request.sampling.choice += static_cast<std::uint64_t>(index % call_.choices);
    auto answer =
        model_.engine->Start(request, [weak = weak_from_this(), index](const GenerateEvent& event) {
          auto self = weak.lock();
          if (self == nullptr) return false;
          // Handed over whole: what this thread held last, it would have to destroy, and behind the
          // call stands the engine itself.
          Exchange& exchange = *self->exchange_;
          exchange.Post([self = std::move(self), index, event, now = Clock::now()]() mutable {
            self->Take(index, std::move(event), now);
          });
          return true;
        });
    if (!answer.ok()) {
      state.ended = true;
      return Fail(ErrorOf(answer.status()));
    }
    state.answer = *std::move(answer);
    if (ends_reasoning_) state.answer->EndReasoning();
  }

  void Begin() {
    if (begun_) return;
    begun_ = true;
    writer_->Begin({.model = model_.name,
                    .created_seconds = UnixSeconds(),
                    .answers = call_.answer_count(),
                    .choices = call_.choices});
  }

  void Take(int index, GenerateEvent event, Clock::time_point now) {
    AnswerState& state = answers_[static_cast<std::size_t>(index)];
    const bool last =
        event.kind == GenerateEvent::Kind::kEnd || event.kind == GenerateEvent::Kind::kFailed;
    if (last) {
      state.ended = true;
      state.answer.reset();
      CountEnd(index, event);
    }
    if (!over_) {
      if (event.kind == GenerateEvent::Kind::kFailed) {
        Fail(ErrorOf(event.failure));
      } else {
        if (event.kind == GenerateEvent::Kind::kEnd &&
            event.finish_reason == FinishReason::kCancelled)
          event.finish_reason = FinishReason::kLength;  // ours alone: the time was up
        Pass(index, &state, event, now);
      }
    }
    if (!AllEnded()) return;
    if (!over_) Finish();
    Close();
  }

  // An event for the writer.
  void Pass(int index, AnswerState* state, const GenerateEvent& event, Clock::time_point now) {
    Begin();
    if (!queued_until_) queued_until_ = now;
    if (event.kind == GenerateEvent::Kind::kToken) CountToken(state, event, now);
    writer_->Event(index, event);
    if (event.kind == GenerateEvent::Kind::kPrefill) return;
    const int first = index - index % call_.choices;
    for (int i = first + 1; i < first + call_.choices && !over_; ++i)
      if (!answers_[static_cast<std::size_t>(i)].started) StartAnswer(i);
  }

  void CountToken(AnswerState* state, const GenerateEvent& event, Clock::time_point now) {
    if (record_.first_token_seconds < 0) record_.first_token_seconds = Since(start_, now);
    if (state->last_token) record_.token_gaps_seconds.push_back(Since(*state->last_token, now));
    state->last_token = now;
    if (!event.reasoning.empty()) state->reasoning = true;
    if (!event.text.empty() || !event.tool_calls.empty()) state->reasoning = false;
    if (state->reasoning) ++record_.reasoning_tokens;
  }

  // A prompt counts once; what the later choices found in the cache is nobody's saving.
  void CountEnd(int index, const GenerateEvent& event) {
    Usage& usage = record_.usage;
    if (index % call_.choices == 0) {
      usage.prompt_tokens += event.usage.prompt_tokens;
      usage.cached_tokens += event.usage.cached_tokens;
      usage.replayed_tokens += event.usage.replayed_tokens;
    }
    usage.generated_tokens += event.usage.generated_tokens;
    usage.draft_tokens += event.usage.draft_tokens;
    usage.accepted_draft_tokens += event.usage.accepted_draft_tokens;
    record_.decode_seconds += event.timings.decode_seconds;
    if (event.kind == GenerateEvent::Kind::kEnd)
      record_.finish_reasons.push_back(event.finish_reason);
  }

  bool AllEnded() const {
    for (const AnswerState& state : answers_)
      if (state.started && !state.ended) return false;
    if (over_) return true;  // what has not started never will
    for (const AnswerState& state : answers_)
      if (!state.started) return false;
    return true;
  }

  void Finish() {
    over_ = true;
    SetTimes();
    exchange_->SetTokens(record_.usage.prompt_tokens, record_.usage.generated_tokens);
    writer_->End({.usage = record_.usage,
                  .reasoning_tokens = record_.reasoning_tokens,
                  .queue_seconds = record_.queue_seconds,
                  .total_seconds = record_.total_seconds});
  }

  void Fail(const ApiError& error) {
    if (over_) return;
    over_ = true;
    record_.failed = true;
    record_.error_code = error.code;
    writer_->Fail(error);
    CancelAll();
    if (AllEnded()) Close();
  }

  // The client went away.
  void Gone() {
    if (over_) return;
    over_ = true;
    record_.cancelled = true;
    CancelAll();
    if (AllEnded()) Close();
  }

  void ShutDown() { Fail(ShuttingDownError()); }

  // Of the answers that run; those that begin later find it in the call.
  void EndReasoning() {
    ends_reasoning_ = true;
    for (AnswerState& state : answers_)
      if (state.answer != nullptr) state.answer->EndReasoning();
  }

  void EndInTime() {
    if (!over_) CancelAll();
  }

  void CancelAll() {
    for (AnswerState& state : answers_)
      if (state.answer != nullptr) state.answer->Cancel();
  }

  // Once, when nothing is to come any more.
  void Close() {
    if (closed_) return;
    closed_ = true;
    service_->RemoveRunning(running_);
    ticket_.reset();
    SetTimes();
    for (const auto& observer : service_->observers()) observer->Ended(record_);
    model_.engine.reset();
    self_.reset();
  }

  void SetTimes() {
    const auto now = Clock::now();
    record_.queue_seconds = Since(start_, queued_until_.value_or(now));
    record_.total_seconds = Since(start_, now);
  }

  const std::shared_ptr<Service> service_;
  ServedModel model_;  // until Close
  Call call_;
  const std::shared_ptr<Exchange> exchange_;
  const std::unique_ptr<AnswerWriter> writer_;
  std::vector<AnswerState> answers_;
  const Clock::time_point start_ = Clock::now();

  std::shared_ptr<RunningCall> self_;  // until Close
  std::optional<Clock::time_point> queued_until_;
  std::shared_ptr<Admission::Ticket> ticket_;
  CallRecord record_;
  std::uint64_t running_ = 0;
  bool ends_reasoning_ = false;
  bool begun_ = false;   // the writer's Begin was called
  bool over_ = false;    // the writer hears nothing more
  bool closed_ = false;  // every answer has ended and was counted
};

}  // namespace

void RunCall(const std::shared_ptr<Service>& service, ServedModel model, Call call,
             std::shared_ptr<Exchange> exchange, std::unique_ptr<AnswerWriter> writer) {
  std::make_shared<RunningCall>(service, std::move(model), std::move(call), std::move(exchange),
                                std::move(writer))
      ->Run();
}

}  // namespace hadal
