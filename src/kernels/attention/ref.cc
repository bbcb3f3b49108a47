#include "kernels/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "kernels/lanes_ref.h"
#include "numeric/formats.h"
#include "numeric/math.h"

namespace hadal {
namespace {

// Row t of a cache part as f32.
void ReadRow(const CachedRows& rows, DType dtype, std::int64_t t, float* out) {
  const auto page = static_cast<std::size_t>(t / kAttendKeys);
  const auto* from = reinterpret_cast<const std::byte*>(rows.pages[page] + rows.offset_bytes) +
                     static_cast<std::uint64_t>(t % kAttendKeys) * rows.row_stride_bytes;
  for (std::int64_t i = 0; i < rows.width; ++i)
    out[i] = dtype == DType::kF32 ? LoadUnaligned<float>(from + 4 * i)
                                  : Bf16ToF32(LoadUnaligned<std::uint16_t>(from + 2 * i));
}

// One query's running state.
struct Running {
  float largest = -std::numeric_limits<float>::infinity();
  float sum = 0.0f;
};

// Takes keys first .. first + count of one block into a query's state and output.
void AttendBlock(const AttendJob& job, const float* q, std::int64_t first, std::int64_t count,
                 Running* running, float* y) {
  float* row = reinterpret_cast<float*>(job.scratch);
  float score[kAttendKeys];
  float largest = running->largest;
  for (std::int64_t j = 0; j < count; ++j) {
    ReadRow(job.keys, job.dtype, first + j, row);
    score[j] = DotLanesRef(q, row, job.keys.width) * job.scale;
    largest = std::max(largest, score[j]);
  }
  const float decay = Exp(running->largest - largest);
  LanesRef sum;
  for (std::int64_t j = 0; j < count; ++j) {
    score[j] = Exp(score[j] - largest);
    sum.lane[j % 16] += score[j];
  }
  running->sum = std::fma(running->sum, decay, sum.Total());
  running->largest = largest;
  for (std::int64_t d = 0; d < job.values.width; ++d) y[d] *= decay;
  for (std::int64_t j = 0; j < count; ++j) {
    ReadRow(job.values, job.dtype, first + j, row);
    for (std::int64_t d = 0; d < job.values.width; ++d) y[d] = std::fma(score[j], row[d], y[d]);
  }
}

void AttendRef(const AttendJob& job) noexcept {
  for (std::int64_t r = 0; r < job.rows; ++r)
    for (std::int64_t h = 0; h < job.heads; ++h) {
      const float* q = job.q + r * job.q_row_stride + h * job.q_head_stride;
      float* y = job.y + r * job.y_row_stride + h * job.y_head_stride;
      for (std::int64_t d = 0; d < job.values.width; ++d) y[d] = 0.0f;
      Running running;
      const std::int64_t visible = job.position + r + 1;
      for (std::int64_t first = 0; first < visible; first += kAttendKeys)
        AttendBlock(job, q, first, std::min(kAttendKeys, visible - first), &running, y);
      for (std::int64_t d = 0; d < job.values.width; ++d) y[d] /= running.sum;
    }
}

}  // namespace

void FillAttentionRef(AttentionTable* table) { table->attend = AttendRef; }

}  // namespace hadal
