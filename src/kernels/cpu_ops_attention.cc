// Attention: cuts queries into groups that share a key head, and runs one kernel job a group.
#include <algorithm>

#include "base/bytes.h"
#include "kernels/cpu_ops_class.h"
#include "kernels/host_view.h"
#include "kernels/thread_scratch.h"

namespace hadal {
namespace {

// Queries of a job: two jobs a thread where there are enough queries, and no fewer than a pass over
// the keys is worth, since a job decodes its keys for all of them.
std::int64_t QueriesPerJob(std::int64_t queries, int threads) {
  constexpr std::int64_t kJobsPerThread = 2, kFewest = 8;
  return std::clamp(CeilDiv(queries, kJobsPerThread * threads), kFewest, kAttendQueries);
}

// The entries of a row's list that it sees: an ascending list, ended by -1 or by the row's end.
void SetChosen(const View& chosen, std::int64_t row, std::int64_t position, AttendSource* source) {
  const AttendRange seen = SeenOf(*source, position);
  const auto* first = Address<const std::int32_t>(chosen) + row * chosen.strides[0];
  const auto* last = std::find(first, first + chosen.shape[1], -1);
  source->chosen = std::lower_bound(first, last, seen.first);
  source->chosen_count = std::lower_bound(source->chosen, last, seen.last) - source->chosen;
}

// Profile `fast` multiplies pairs of bf16 where the keys are the values and none of them is f32.
bool IsBf16(const AttendJob& job) {
  return job.values_in_keys &&
         std::none_of(job.sources, job.sources + job.source_count,
                      [](const AttendSource& s) { return s.keys.dtype == DType::kF32; });
}

}  // namespace

void CpuOps::CutAttention(const AttendPlan& plan, std::int64_t together, const AttendPart& part) {
  const std::int64_t heads = std::min(plan.heads_per_key, together);
  const std::int64_t rows = std::max<std::int64_t>(together / heads, 1);
  for (std::int64_t r = 0; r < part.row_count; r += rows)
    for (std::int64_t k = 0; k < plan.key_heads; ++k)
      for (std::int64_t first = 0; first < plan.heads_per_key; first += heads) {
        const std::int64_t head = k * plan.heads_per_key + first;
        AttendJob job = plan.job;
        job.q += (part.first_row + r) * job.q_row_stride + head * job.q_head_stride;
        job.y += (part.first_row + r) * job.y_row_stride + head * job.y_head_stride;
        if (job.sinks != nullptr) job.sinks += head;
        job.rows = std::min(rows, part.row_count - r);
        job.heads = std::min(heads, plan.heads_per_key - first);
        job.position = part.position + r;
        for (const AttendSource& source : part.sources) {
          if (source.keys.pages == nullptr) continue;
          AttendSource& own = job.sources[job.source_count++];
          own = source;
          own.keys = ColumnsOf(own.keys, k * job.key_width, job.key_width);
          if (!job.values_in_keys)
            own.values = ColumnsOf(own.values, k * job.value_width, job.value_width);
        }
        attend_jobs_.push_back(job);
      }
}

void CpuOps::Attend(const AttendPlan& plan, std::span<const AttendPart> parts) {
  std::int64_t queries = 0;
  for (const AttendPart& part : parts)
    queries += part.row_count * plan.key_heads * plan.heads_per_key;
  const std::int64_t together = QueriesPerJob(queries, pool_.threads());
  attend_jobs_.clear();
  for (const AttendPart& part : parts) CutAttention(plan, together, part);

  // Later rows see more keys: the long jobs go first.
  const auto count = static_cast<std::int64_t>(attend_jobs_.size());
  pool_.Run(count, [&](std::int64_t task) {
    AttendJob job = attend_jobs_[static_cast<std::size_t>(count - 1 - task)];
    job.scratch = ThreadScratch(AttendScratchBytes(job.key_width, job.value_width));
    const bool bf16 = profile_ == Profile::kFast && IsBf16(job);
    (bf16 ? kernels_.attention.attend_bf16 : kernels_.attention.attend)(job);
  });
}

void CpuOps::Attend(const AttendPlan& plan, std::span<const AttendRows> sequences) {
  attend_parts_.clear();
  for (const AttendRows& s : sequences) {
    AttendPart part{.first_row = s.first_row, .row_count = s.row_count, .position = s.position};
    part.sources[0].keys = CachedRowsOf(s.keys);
    if (!plan.job.values_in_keys) part.sources[0].values = CachedRowsOf(s.values);
    attend_parts_.push_back(part);
  }
  Attend(plan, attend_parts_);
}

void CpuOps::Run(const AttendLatent& call) noexcept {
  Attend(SharedKeyPlan(call.q, call.y, call.heads, call.latent, call.rope, call.scale),
         call.sequences);
}

void CpuOps::Run(const AttendGrouped& call) noexcept {
  const HostRows q = RowsOf(call.q), y = RowsOf(call.y);
  HADAL_CHECK(call.kv_heads > 0 && call.heads % call.kv_heads == 0,
              "query heads that no whole number of which shares a key head");
  AttendPlan plan;
  plan.key_heads = call.kv_heads;
  plan.heads_per_key = call.heads / call.kv_heads;
  plan.job.key_width = call.head_dim;
  plan.job.value_width = call.head_dim;
  plan.job.q = q.data;
  plan.job.q_row_stride = q.stride;
  plan.job.q_head_stride = call.head_dim;
  plan.job.y = y.data;
  plan.job.y_row_stride = y.stride;
  plan.job.y_head_stride = call.head_dim;
  plan.job.scale = call.scale;
  Attend(plan, call.sequences);
}

CpuOps::AttendPlan CpuOps::SharedKeyPlan(const View& q_rows, const View& y_rows, std::int64_t heads,
                                         std::int64_t latent, std::int64_t rope, float scale) {
  const HostRows q = RowsOf(q_rows), y = RowsOf(y_rows);
  AttendPlan plan;
  plan.key_heads = 1;
  plan.heads_per_key = heads;
  plan.job.key_width = latent + rope;
  plan.job.value_width = latent;
  plan.job.values_in_keys = true;
  plan.job.q = q.data;
  plan.job.q_row_stride = q.stride;
  plan.job.q_head_stride = latent + rope;
  plan.job.y = y.data;
  plan.job.y_row_stride = y.stride;
  plan.job.y_head_stride = latent;
  plan.job.scale = scale;
  return plan;
}

void CpuOps::Run(const AttendSparse& call) noexcept {
  AttendPlan plan = SharedKeyPlan(call.q, call.y, call.heads, call.latent, call.rope, call.scale);
  if (!call.sinks.empty()) plan.job.sinks = Address<const float>(call.sinks);
  attend_parts_.clear();
  for (const SparseRows& s : call.sequences) {
    AttendPart part{.first_row = s.first_row, .row_count = s.row_count, .position = s.position};
    bool chosen = false;
    for (int i = 0; i < 2; ++i) {
      const KeySource& from = s.sources[i];
      if (from.rows.pages.empty()) continue;
      HADAL_CHECK(from.ratio > 0 && from.window >= 0, "entries that stand for no tokens");
      AttendSource& source = part.sources[i];
      source.keys = CachedRowsOf(from.rows);
      source.ratio = from.ratio;
      source.window = from.window;
      chosen = chosen || !from.chosen.empty();
    }
    if (!chosen) {
      attend_parts_.push_back(part);
      continue;
    }
    // Lists differ from row to row.
    for (std::int64_t r = 0; r < s.row_count; ++r) {
      AttendPart row = part;
      row.first_row = s.first_row + r;
      row.row_count = 1;
      row.position = s.position + r;
      for (int i = 0; i < 2; ++i)
        if (row.sources[i].keys.pages != nullptr && !s.sources[i].chosen.empty())
          SetChosen(s.sources[i].chosen, row.first_row, row.position, &row.sources[i]);
      attend_parts_.push_back(row);
    }
  }
  for (const AttendPart& part : attend_parts_) {
    const auto seen = [&part](const AttendSource& source) {
      const AttendRange range = SeenOf(source, part.position);
      return source.keys.pages != nullptr && range.first < range.last;
    };
    HADAL_CHECK(plan.job.sinks != nullptr || seen(part.sources[0]) || seen(part.sources[1]),
                "a row that sees nothing and has no sink");
  }
  Attend(plan, attend_parts_);
}

}  // namespace hadal
