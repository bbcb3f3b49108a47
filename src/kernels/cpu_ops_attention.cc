// Attention: cuts queries into groups that share a key head, and runs one kernel job a group.
#include <algorithm>

#include "base/bytes.h"
#include "kernels/cpu_ops_class.h"
#include "kernels/host_view.h"
#include "kernels/thread_scratch.h"

namespace hadal {
namespace {

// Queries of a job: several jobs a thread where there are enough queries, since a job reads its
// keys for all of them.
std::int64_t QueriesPerJob(std::int64_t queries, int threads) {
  constexpr std::int64_t kJobsPerThread = 4;
  return std::clamp<std::int64_t>(CeilDiv(queries, kJobsPerThread * threads), 4, kAttendQueries);
}

std::uint64_t ValueBytes(DType dtype) { return dtype == DType::kBF16 ? 2 : 4; }

// Columns [first, first + width) of a cache part.
CachedRows ColumnsOf(const PagedRows& part, std::int64_t first, std::int64_t width) {
  const std::uint64_t bytes = ValueBytes(part.dtype);
  return {part.pages.data(), part.offset_bytes + static_cast<std::uint64_t>(first) * bytes,
          static_cast<std::uint64_t>(part.width) * bytes, width};
}

}  // namespace

void CpuOps::Attend(const AttendPlan& plan, std::span<const AttendRows> sequences) {
  std::int64_t queries = 0;
  for (const AttendRows& s : sequences)
    queries += s.row_count * plan.key_heads * plan.heads_per_key;
  const std::int64_t together = QueriesPerJob(queries, pool_.threads());
  const std::int64_t heads = std::min(plan.heads_per_key, together);
  const std::int64_t rows = std::max<std::int64_t>(together / heads, 1);
  const std::int64_t head_cuts = CeilDiv(plan.heads_per_key, heads);

  attend_jobs_.clear();
  for (const AttendRows& s : sequences)
    for (std::int64_t r = 0; r < s.row_count; r += rows)
      for (std::int64_t k = 0; k < plan.key_heads; ++k)
        for (std::int64_t cut = 0; cut < head_cuts; ++cut) {
          const std::int64_t first = cut * heads;  // among the heads of this key head
          const std::int64_t head = k * plan.heads_per_key + first;
          AttendJob job = plan.job;
          job.q += (s.first_row + r) * job.q_row_stride + head * job.q_head_stride;
          job.y += (s.first_row + r) * job.y_row_stride + head * job.y_head_stride;
          job.rows = std::min(rows, s.row_count - r);
          job.heads = std::min(heads, plan.heads_per_key - first);
          job.position = s.position + r;
          job.dtype = s.keys.dtype;
          job.keys = ColumnsOf(s.keys, k * plan.key_width, plan.key_width);
          job.values = job.values_in_keys ? job.keys : ColumnsOf(s.values, k * plan.value_width, 0);
          job.values.width = plan.value_width;
          attend_jobs_.push_back(job);
        }

  // Later rows see more keys: the long jobs go first.
  const auto count = static_cast<std::int64_t>(attend_jobs_.size());
  pool_.Run(count, [&](std::int64_t task) {
    AttendJob job = attend_jobs_[static_cast<std::size_t>(count - 1 - task)];
    job.scratch = ThreadScratch(AttendScratchBytes(job.keys.width, job.values.width));
    kernels_.attention.attend(job);
  });
}

void CpuOps::Run(const AttendLatent& call) noexcept {
  const HostRows q = RowsOf(call.q), y = RowsOf(call.y);
  AttendPlan plan;
  plan.key_heads = 1;
  plan.heads_per_key = call.heads;
  plan.key_width = call.latent + call.rope;
  plan.value_width = call.latent;
  plan.job.values_in_keys = true;
  plan.job.q = q.data;
  plan.job.q_row_stride = q.stride;
  plan.job.q_head_stride = plan.key_width;
  plan.job.y = y.data;
  plan.job.y_row_stride = y.stride;
  plan.job.y_head_stride = plan.value_width;
  plan.job.scale = call.scale;
  Attend(plan, call.sequences);
}

void CpuOps::Run(const AttendGrouped& call) noexcept {
  const HostRows q = RowsOf(call.q), y = RowsOf(call.y);
  HADAL_CHECK(call.kv_heads > 0 && call.heads % call.kv_heads == 0,
              "query heads that no whole number of which shares a key head");
  AttendPlan plan;
  plan.key_heads = call.kv_heads;
  plan.heads_per_key = call.heads / call.kv_heads;
  plan.key_width = call.head_dim;
  plan.value_width = call.head_dim;
  plan.job.q = q.data;
  plan.job.q_row_stride = q.stride;
  plan.job.q_head_stride = call.head_dim;
  plan.job.y = y.data;
  plan.job.y_row_stride = y.stride;
  plan.job.y_head_stride = call.head_dim;
  plan.job.scale = call.scale;
  Attend(plan, call.sequences);
}

}  // namespace hadal
