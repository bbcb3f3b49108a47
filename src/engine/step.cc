#include "engine/step.h"

namespace hadal {

Status RunPlan(const StepPlan& plan, const ActiveRequests& requests, Model* model,
               StepObserver* observer, std::span<const float>* logits) {
  Batch batch;
  // Segments keep spans into these.
  std::vector<std::vector<Wanted>> wishes;
  std::vector<std::vector<std::int32_t>> drafted;
  wishes.reserve(plan.rows.size());
  drafted.reserve(plan.rows.size());
  for (const PlannedRows& planned : plan.rows) {
    const ActiveRequest& request = requests.at(planned.id);
    const auto rows = static_cast<std::size_t>(planned.rows);
    const auto guesses = static_cast<std::size_t>(planned.draft_rows);
    const auto first = static_cast<std::size_t>(request.cache->length());
    HADAL_CHECK(first + rows <= request.tokens.size() && guesses <= request.guesses.size(),
                "planned rows without tokens");
    std::vector<Wanted>& wanted = wishes.emplace_back(rows, Wanted::kNone);
    if (planned.sample) wanted.back() = Wanted::kLogits;
    std::span<const std::int32_t> tokens = std::span(request.tokens).subspan(first, rows);
    if (guesses > 0) {
      wanted.resize(rows + guesses, Wanted::kLogits);
      auto& all = drafted.emplace_back(tokens.begin(), tokens.end());
      all.insert(all.end(), request.guesses.begin(), request.guesses.begin() + planned.draft_rows);
      tokens = all;
    }
    batch.segments.push_back({request.cache, tokens, wanted});
  }
  return model->Step(batch, logits, observer);
}

}  // namespace hadal
