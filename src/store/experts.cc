#include "store/experts.h"

#include <algorithm>

namespace hadal {
namespace {

// The rows of one expert within a group of experts that run together.
struct ExpertRows {
  std::int32_t expert = 0;
  std::vector<std::int32_t> rows;
  std::vector<float> weights;
};

// Rows by expert, experts ascending, those without rows left out.
std::vector<ExpertRows> GroupByExpert(const RoutedRows& routed, std::size_t expert_count) {
  std::vector<ExpertRows> all(expert_count);
  for (std::int64_t row = 0; row < routed.rows; ++row) {
    for (std::int64_t k = 0; k < routed.per_token; ++k) {
      const std::int64_t at = row * routed.per_token + k;
      ExpertRows& expert = all[static_cast<std::size_t>(routed.ids[at])];
      expert.expert = routed.ids[at];
      expert.rows.push_back(static_cast<std::int32_t>(row));
      expert.weights.push_back(routed.weights[at]);
    }
  }
  std::erase_if(all, [](const ExpertRows& expert) { return expert.rows.empty(); });
  return all;
}

// Most gathered rows of one group: enough for a whole step of few rows, and bounded for long ones.
std::int64_t GroupRows(std::int64_t rows, std::int64_t per_token) {
  constexpr std::int64_t kSmall = 64;
  return std::max(rows, std::min(rows * per_token, kSmall));
}

// Gathers, runs and adds back experts [first, last), whose rows fit the group.
void RunGroup(Ops& ops, Scratch& scratch, const std::vector<ExpertWeights>& weights,
              std::span<const ExpertRows> group, std::int64_t total, const View& x, const View& y) {
  const Scratch::Scope scope(&scratch);
  const std::int64_t width = weights.front().gate.outputs();
  const View taken = scratch.Take(total, x.columns());
  const View gate = scratch.Take(total, width);
  const View up = scratch.Take(total, width);
  const View out = scratch.Take(total, y.columns());
  std::vector<MatMul> widen, narrow;
  std::int64_t first = 0;
  for (const ExpertRows& expert : group) {
    const auto count = static_cast<std::int64_t>(expert.rows.size());
    const ExpertWeights& w = weights[static_cast<std::size_t>(expert.expert)];
    const View in = taken.Rows(first, count);
    ops.TakeRows(x, expert.rows, in);
    widen.push_back({&w.gate, in, gate.Rows(first, count)});
    widen.push_back({&w.up, in, up.Rows(first, count)});
    narrow.push_back({&w.down, gate.Rows(first, count), out.Rows(first, count)});
    first += count;
  }
  ops.Run(widen);
  ops.Run(SiluMul{gate, up, gate});
  ops.Run(narrow);
  first = 0;
  for (const ExpertRows& expert : group) {
    const auto count = static_cast<std::int64_t>(expert.rows.size());
    ops.AddScaledRows(out.Rows(first, count), expert.rows, expert.weights, y);
    first += count;
  }
}

}  // namespace

void LocalExperts::Run(Ops& ops, Scratch& scratch, int layer, const RoutedRows& routed,
                       const View& x, const View& y) {
  const std::vector<ExpertWeights>& weights = layers_[static_cast<std::size_t>(layer)];
  const std::vector<ExpertRows> experts = GroupByExpert(routed, weights.size());
  const std::int64_t most = GroupRows(routed.rows, routed.per_token);
  for (std::size_t first = 0; first < experts.size();) {
    std::int64_t total = 0;
    std::size_t last = first;
    while (last < experts.size() &&
           total + static_cast<std::int64_t>(experts[last].rows.size()) <= most)
      total += static_cast<std::int64_t>(experts[last++].rows.size());
    RunGroup(ops, scratch, weights, std::span(experts).subspan(first, last - first), total, x, y);
    first = last;
  }
}

std::uint64_t Experts::ScratchBytes(std::int64_t rows, std::int64_t per_token, std::int64_t hidden,
                                    std::int64_t width) {
  const std::int64_t total = GroupRows(rows, per_token);
  return 2 * Scratch::Bytes(total, hidden) + 2 * Scratch::Bytes(total, width);
}

}  // namespace hadal
