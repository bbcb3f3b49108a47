// One decoder layer: two blocks around the residual stream, pre-norm.
#pragma once

#include <memory>

#include "model/block.h"

namespace hadal {

class Layer {
 public:
  Layer(View attention_norm, View ffn_norm, float epsilon, std::unique_ptr<Block> attention,
        std::unique_ptr<Block> ffn)
      : attention_norm_(attention_norm),
        ffn_norm_(ffn_norm),
        epsilon_(epsilon),
        attention_(std::move(attention)),
        ffn_(std::move(ffn)) {}

  // residual += attention(norm(residual)); residual += ffn(norm(residual)).
  void Run(StepState& step) const;

 private:
  View attention_norm_, ffn_norm_;  // f32 [hidden]
  float epsilon_;
  std::unique_ptr<Block> attention_, ffn_;
};

}  // namespace hadal
