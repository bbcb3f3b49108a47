// Block: one part of a layer that turns normalised rows into an update of the residual stream. An
// attention or feed-forward kind is one file that implements it and one row in build_layer.cc.
#pragma once

#include "model/step_state.h"

namespace hadal {

class Block {
 public:
  virtual ~Block() = default;
  // update = block(x); both [rows, hidden]. Takes its scratch from the step and gives it back.
  virtual void Run(StepState& step, const View& x, const View& update) const = 0;
};

}  // namespace hadal
