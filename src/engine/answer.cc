#include "engine/answer_control.h"
#include "engine/order.h"
#include "hadal/engine.h"

namespace hadal {

Answer::~Answer() { Cancel(); }

void Answer::Cancel() noexcept { control_->cancelled = true; }

void Answer::EndReasoning() noexcept { control_->ends_reasoning = true; }

Result<std::shared_ptr<Answer>> Engine::Start(const GenerateRequest& request, GenerateSink sink) {
  auto control = std::make_shared<AnswerControl>();
  HADAL_ASSIGN_OR_RETURN(StepLoop::Request order,
                         MakeOrder(impl_.get(), request, 0, 0, std::move(sink), control));
  const std::int64_t prompt_tokens = control->prompt_tokens;
  auto answer = std::make_shared<Answer>(std::move(control), prompt_tokens);
  HADAL_RETURN_IF_ERROR(impl_->loop->Submit(std::move(order)));
  return answer;
}

}  // namespace hadal
