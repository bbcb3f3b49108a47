#include "engine/step.h"

namespace hadal {

Status RunPlan(const StepPlan& plan, const ActiveRequests& requests, Model* model,
               std::span<const float>* logits) {
  Batch batch;
  std::vector<std::vector<Wanted>> wishes;
  wishes.reserve(plan.rows.size());  // segments keep spans into it
  for (const PlannedRows& planned : plan.rows) {
    const ActiveRequest& request = requests.at(planned.id);
    const auto rows = static_cast<std::size_t>(planned.rows);
    const auto first = static_cast<std::size_t>(request.cache->length());
    HADAL_CHECK(first + rows <= request.tokens.size(), "planned rows without tokens");
    std::vector<Wanted>& wanted = wishes.emplace_back(rows, Wanted::kNone);
    if (planned.sample) wanted.back() = Wanted::kLogits;
    batch.segments.push_back(
        {request.cache, std::span(request.tokens).subspan(first, rows), wanted});
  }
  return model->Step(batch, logits);
}

}  // namespace hadal
