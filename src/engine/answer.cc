#include "engine/order.h"
#include "hadal/engine.h"

namespace hadal {

Answer::~Answer() { Cancel(); }

void Answer::Cancel() noexcept { cancelled_->store(true, std::memory_order_relaxed); }

Result<std::shared_ptr<Answer>> Engine::Start(const GenerateRequest& request, GenerateSink sink) {
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  HADAL_ASSIGN_OR_RETURN(StepLoop::Request order,
                         MakeOrder(impl_.get(), request, 0, 0, std::move(sink), cancelled));
  auto answer = std::make_shared<Answer>(std::move(cancelled), std::ssize(order.prompt));
  HADAL_RETURN_IF_ERROR(impl_->loop->Submit(std::move(order)));
  return answer;
}

}  // namespace hadal
