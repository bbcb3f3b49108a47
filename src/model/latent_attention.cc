#include "model/latent_attention.h"

#include <algorithm>

#include "model/attend.h"

namespace hadal {
namespace {

class LatentAttention : public Block {
 public:
  explicit LatentAttention(LatentAttentionWeights weights) : w_(std::move(weights)) {}

  void Run(StepState& step, const View& x, const View& update) const override {
    const Scratch::Scope scope(step.scratch);
    const View heads = step.scratch->Take(step.rows, w_.heads * w_.value);
    {
      const Scratch::Scope inner(step.scratch);
      const View query = step.scratch->Take(step.rows, w_.heads * (w_.latent + w_.rope));
      const View mixed = step.scratch->Take(step.rows, w_.heads * w_.latent);
      Query(step, x, query);
      KeyOfStep(step, x);
      const std::vector<AttendRows> sequences = AttendTable(step, w_.part, w_.part);
      step.ops->Run(AttendLatent{query, mixed, w_.heads, w_.latent, w_.rope, w_.scale, sequences});
      PerHead(step, w_.expand_value, mixed, w_.latent, heads, w_.value);
    }
    const MatMul output[] = {{&w_.o, heads, update}};
    step.ops->Run(output);
  }

 private:
  // query, per head: [absorbed nope part | rotated part], in the coordinates of the cache.
  void Query(StepState& step, const View& x, const View& query) const {
    const Scratch::Scope scope(step.scratch);
    const View q = step.scratch->Take(step.rows, w_.heads * (w_.nope + w_.rope));
    if (w_.q_rank > 0) {
      const View low = step.scratch->Take(step.rows, w_.q_rank);
      const MatMul down[] = {{&w_.q_a, x, low}};
      step.ops->Run(down);
      step.ops->Run(RmsNorm{low, w_.q_a_norm, w_.norm_epsilon, low});
      const MatMul up[] = {{&w_.q_b, low, q}};
      step.ops->Run(up);
    } else {
      const MatMul direct[] = {{&w_.q, x, q}};
      step.ops->Run(direct);
    }
    PerHead(step, w_.absorb_key, q, w_.nope + w_.rope, query, w_.latent + w_.rope);
    step.ops->Run(Rope{{q, w_.nope + w_.rope, w_.nope},
                       {query, w_.latent + w_.rope, w_.latent},
                       w_.heads,
                       w_.rope,
                       w_.layout,
                       step.cos,
                       step.sin});
  }

  // Writes [normalised latent | rotated key] of the step's rows to the cache.
  void KeyOfStep(StepState& step, const View& x) const {
    const Scratch::Scope scope(step.scratch);
    const View key = step.scratch->Take(step.rows, w_.latent + w_.rope);
    const MatMul down[] = {{&w_.kv_a, x, key}};
    step.ops->Run(down);
    const View latent = key.Columns(0, w_.latent);
    step.ops->Run(RmsNorm{latent, w_.kv_a_norm, w_.norm_epsilon, latent});
    const RopeHeads shared{key, w_.latent + w_.rope, w_.latent};
    step.ops->Run(Rope{shared, shared, 1, w_.rope, w_.layout, step.cos, step.sin});
    StorePart(step, key, w_.part);
  }

  // y[head] = matrix[head] x[head], all heads in one region. Heads lie `x_stride` and `y_stride`
  // columns apart; a matrix reads and writes the first columns of its head.
  void PerHead(StepState& step, const std::vector<Linear>& matrices, const View& x,
               std::int64_t x_stride, const View& y, std::int64_t y_stride) const {
    std::vector<MatMul> calls;
    calls.reserve(matrices.size());
    for (std::size_t h = 0; h < matrices.size(); ++h) {
      const auto head = static_cast<std::int64_t>(h);
      calls.push_back({&matrices[h], x.Columns(head * x_stride, matrices[h].inputs()),
                       y.Columns(head * y_stride, matrices[h].outputs())});
    }
    step.ops->Run(calls);
  }

  LatentAttentionWeights w_;
};

}  // namespace

std::unique_ptr<Block> MakeLatentAttention(LatentAttentionWeights weights) {
  return std::make_unique<LatentAttention>(std::move(weights));
}

std::uint64_t LatentAttentionScratchBytes(std::int64_t rows, std::int64_t heads,
                                          std::int64_t q_rank, std::int64_t latent,
                                          std::int64_t nope, std::int64_t rope,
                                          std::int64_t value) {
  return Scratch::Bytes(rows, heads * value) + Scratch::Bytes(rows, heads * (latent + rope)) +
         Scratch::Bytes(rows, heads * latent) + Scratch::Bytes(rows, heads * (nope + rope)) +
         Scratch::Bytes(rows, std::max<std::int64_t>(q_rank, latent + rope));
}

}  // namespace hadal
