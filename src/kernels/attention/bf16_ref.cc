// The bf16 form of attention in plain code: the definition.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention/attention.h"
#include "kernels/flush_denormals.h"
#include "kernels/lanes_ref.h"
#include "kernels/read_row_ref.h"
#include "numeric/formats.h"
#include "numeric/math.h"

namespace hadal {
namespace {

struct Running {
  float largest = -std::numeric_limits<float>::infinity();
  float sum = 0.0f;
};

float Rounded(float value) { return Bf16ToF32(F32ToBf16(value)); }

// Rounded values of a row, those of each group of 32 columns in the order in which they join the
// sixteen lanes: the odd columns, then the even ones. Zeros behind the last.
void Arrange(const float* row, std::int64_t width, float* arranged) {
  for (std::int64_t k = 0; k < PaddedColumns(width); ++k) {
    const std::int64_t lane = k % 16, group = k / kPairColumns * kPairColumns;
    const std::int64_t column = group + 2 * lane + (k % kPairColumns < 16 ? 1 : 0);
    arranged[k] = column < width ? Rounded(row[column]) : 0.0f;
  }
}

// What a query sees of a block: places first + [from, to).
struct SeenBlock {
  const AttendSource* source;
  std::int64_t first, from, to;
};

// Rounded rows of a block by place; zeros for the places of its pairs that are not seen.
void ReadBlock(const AttendJob& job, const SeenBlock& block, float* rows) {
  for (std::int64_t j = block.from / 2 * 2; j < (block.to + 1) / 2 * 2; ++j) {
    float* row = rows + j * job.key_width;
    std::fill(row, row + job.key_width, 0.0f);
    if (j < block.from || j >= block.to) continue;
    const CachedRows& keys = block.source->keys;
    ReadRowRef(keys, AddressOf(keys, EntryAt(*block.source, block.first + j)), row);
    std::transform(row, row + job.key_width, row, Rounded);
  }
}

void AttendBlock(const AttendJob& job, const float* q, const SeenBlock& block, Running* running,
                 float* y) {
  const Bf16Scratch scratch = Bf16ScratchOf(job);
  const auto* rows = static_cast<const float*>(scratch.keys);
  float weight[kAttendKeys] = {};
  float largest = running->largest;
  for (std::int64_t j = block.from; j < block.to; ++j) {
    Arrange(rows + j * job.key_width, job.key_width, scratch.row);
    weight[j] = DotLanesRef(q, scratch.row, PaddedColumns(job.key_width)) * job.scale;
    largest = std::max(largest, weight[j]);
  }
  const float decay = Exp(running->largest - largest);
  LanesRef sum;
  for (std::int64_t j = block.from; j < block.to; ++j) {
    weight[j] = Rounded(Exp(weight[j] - largest));
    sum.lane[j % 16] += weight[j];
  }
  running->sum = std::fma(running->sum, decay, sum.Total());
  running->largest = largest;
  for (std::int64_t d = 0; d < job.value_width; ++d) y[d] *= decay;
  for (std::int64_t pair = block.from / 2 * 2; pair < block.to; pair += 2)
    for (const std::int64_t j : {pair + 1, pair})
      for (std::int64_t d = 0; d < job.value_width; ++d)
        y[d] = std::fma(weight[j], rows[j * job.key_width + d], y[d]);
}

void AttendQuery(const AttendJob& job, std::int64_t r, std::int64_t h) {
  float* q = static_cast<float*>(Bf16ScratchOf(job).q);
  Arrange(job.q + r * job.q_row_stride + h * job.q_head_stride, job.key_width, q);
  float* y = job.y + r * job.y_row_stride + h * job.y_head_stride;
  std::fill(y, y + job.value_width, 0.0f);
  Running running;
  for (int s = 0; s < job.source_count; ++s) {
    const AttendSource& source = job.sources[s];
    const AttendRange seen = SeenOf(source, job.position + r);
    for (std::int64_t first = seen.first / kAttendKeys * kAttendKeys; first < seen.last;
         first += kAttendKeys) {
      const SeenBlock block{&source, first, std::max<std::int64_t>(seen.first - first, 0),
                            std::min(kAttendKeys, seen.last - first)};
      ReadBlock(job, block, static_cast<float*>(Bf16ScratchOf(job).keys));
      const FlushDenormals flush;
      AttendBlock(job, q, block, &running, y);
    }
  }
  const FlushDenormals flush;
  if (job.sinks != nullptr) running.sum += Exp(job.sinks[h] - running.largest);
  for (std::int64_t d = 0; d < job.value_width; ++d) y[d] /= running.sum;
}

void AttendBf16Ref(const AttendJob& job) noexcept {
  for (std::int64_t r = 0; r < job.rows; ++r)
    for (std::int64_t h = 0; h < job.heads; ++h) AttendQuery(job, r, h);
}

}  // namespace

void FillAttentionBf16Ref(AttentionTable* table) { table->attend_bf16 = AttendBf16Ref; }

}  // namespace hadal
