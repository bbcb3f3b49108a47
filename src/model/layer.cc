#include "model/layer.h"

namespace hadal {

void Layer::Run(StepState& step) const {
  const Scratch::Scope scope(step.scratch);
  Ops& ops = *step.ops;
  const View normed = step.scratch->Take(step.rows, step.residual.columns());
  const View update = step.scratch->Take(step.rows, step.residual.columns());

  ops.Run(RmsNorm{step.residual, attention_norm_, epsilon_, normed});
  attention_->Run(step, normed, update);
  ops.Run(AddRows{update, step.residual});

  ops.Run(RmsNorm{step.residual, ffn_norm_, epsilon_, normed});
  ffn_->Run(step, normed, update);
  ops.Run(AddRows{update, step.residual});
}

}  // namespace hadal
