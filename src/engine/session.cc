#include "engine/channel.h"
#include "engine/order.h"
#include "hadal/engine.h"

namespace hadal {

struct Session::Impl {
  std::shared_ptr<Engine> engine;
  std::uint64_t sequence = 0;
  std::int64_t held_tokens = 0;  // at least this many tokens have their memory already
  std::shared_ptr<AnswerControl> control = std::make_shared<AnswerControl>();
};

Session::Session(std::shared_ptr<Engine> engine) : impl_(std::make_unique<Impl>()) {
  impl_->engine = std::move(engine);
  impl_->sequence = impl_->engine->impl().loop->NewSequence();
}
Session::~Session() {
  if (impl_ != nullptr) impl_->engine->impl().loop->Release(impl_->sequence);
}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

void Session::Cancel() noexcept { impl_->control->cancelled = true; }

void Session::Reset() {
  StepLoop& loop = *impl_->engine->impl().loop;
  loop.Release(impl_->sequence);
  impl_->sequence = loop.NewSequence();
  impl_->held_tokens = 0;
}

Result<GenerateResult> Session::Generate(const GenerateRequest& request, const GenerateSink& sink) {
  using Kind = GenerateEvent::Kind;
  Engine::Impl& engine = impl_->engine->impl();
  // Events come on the loop's thread and are looked at on this one.
  const auto events = std::make_shared<Channel<GenerateEvent>>();
  const auto push = [events](const GenerateEvent& event) {
    events->Push(event);
    return true;
  };
  HADAL_ASSIGN_OR_RETURN(
      StepLoop::Request order,
      MakeOrder(&engine, request, impl_->sequence, impl_->held_tokens, push, impl_->control));
  HADAL_RETURN_IF_ERROR(engine.loop->Submit(std::move(order)));

  GenerateResult result;
  GenerateEvent event;
  while (event.kind != Kind::kEnd && event.kind != Kind::kFailed) {
    event = events->Pop();
    result.Add(event);
    if (sink && !sink(event)) Cancel();
  }
  impl_->control->cancelled = false;
  impl_->held_tokens = 0;
  if (event.kind == Kind::kFailed) return event.failure;
  impl_->held_tokens = result.usage.prompt_tokens + result.usage.generated_tokens - 1;
  return result;
}

}  // namespace hadal
