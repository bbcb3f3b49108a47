#include "eval/model_run.h"

#include <algorithm>

#include "spec/model_spec.h"

namespace hadal {

Result<std::vector<float>> Feed(Model& model, SequenceCache& sequence,
                                std::span<const std::int32_t> ids, Positions positions,
                                std::int64_t chunk, StepObserver* observer) {
  std::vector<float> all;
  const std::int64_t most = model.options().step_tokens;
  const auto step = static_cast<std::size_t>(chunk > 0 ? std::min(chunk, most) : most);
  for (std::size_t first = 0; first < ids.size(); first += step) {
    const auto part = ids.subspan(first, std::min(step, ids.size() - first));
    const bool last = first + part.size() == ids.size();
    std::vector<Wanted> wanted(part.size(),
                               positions == Positions::kAll ? Wanted::kLogits : Wanted::kNone);
    if (last) wanted.back() = Wanted::kLogits;
    std::span<const float> logits;
    HADAL_RETURN_IF_ERROR(model.Step(Batch{{{&sequence, part, wanted}}}, &logits, observer));
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

std::int32_t Greediest(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

Result<std::vector<std::int32_t>> ContinueGreedily(Model& model, SequenceCache& sequence,
                                                   std::span<const float> logits, int steps) {
  std::vector<std::int32_t> ids;
  std::vector<float> now(logits.begin(), logits.end());
  for (int step = 0; step < steps; ++step) {
    ids.push_back(Greediest(now));
    if (step + 1 == steps) break;
    HADAL_ASSIGN_OR_RETURN(now, Feed(model, sequence, std::span(&ids.back(), 1), Positions::kLast));
  }
  return ids;
}

void TracingObserver::Residual(int layer, std::int64_t rows, std::int64_t hidden, float* values) {
  trace_->residual.resize(static_cast<std::size_t>(layers_) + 1);
  std::vector<float>& record = trace_->residual[static_cast<std::size_t>(layer)];
  record.insert(record.end(), values, values + rows * hidden);
  if (!inject_.empty()) {
    const std::int64_t all_rows =
        static_cast<std::int64_t>(inject_.size()) / hidden / (layers_ + 1);
    const std::int64_t from = (layer * all_rows + fed_rows_) * hidden;
    std::copy_n(inject_.begin() + from, rows * hidden, values);
  }
  if (layer == layers_) fed_rows_ += rows;
}

void TracingObserver::Experts(int layer, std::int64_t rows, std::int64_t per_token,
                              const std::int32_t* ids) {
  trace_->expert_ids.resize(static_cast<std::size_t>(layers_));
  trace_->experts_per_token = per_token;
  std::vector<std::int32_t>& record = trace_->expert_ids[static_cast<std::size_t>(layer)];
  record.insert(record.end(), ids, ids + rows * per_token);
}

}  // namespace hadal
