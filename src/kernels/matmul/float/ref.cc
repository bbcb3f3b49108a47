#include "kernels/matmul/float/float.h"

#include <algorithm>
#include <cmath>

#include "kernels/lanes_ref.h"
#include "kernels/matmul/decode/decode.h"

namespace hadal {
namespace {

constexpr std::int64_t kChunk = 4096;  // columns decoded at a time; whole blocks of every format
constexpr std::int64_t kRows = 16;     // rows that share a decoded chunk
static_assert(kChunk * sizeof(float) <= kMatMulScratchBytes);

void Decode(const WeightRows& weight, std::int64_t row, std::int64_t first, std::int64_t count,
            float* out) {
  DecodeRef(weight.format)(weight, row, first, count, out);
}

const float* ActivationRow(const MatMulJob& job, std::int64_t row) {
  return static_cast<const float*>(job.x.codes) + row * job.x.code_stride;
}

// One output for at most kRows rows.
void DotOutput(const MatMulJob& job, std::int64_t output, std::int64_t first_row,
               std::int64_t row_count) {
  float* decoded = reinterpret_cast<float*>(job.scratch);
  LanesRef lanes[kRows];
  for (std::int64_t k = 0; k < job.weight.columns; k += kChunk) {
    const std::int64_t count = std::min(kChunk, job.weight.columns - k);
    Decode(job.weight, output, k, count, decoded);
    for (std::int64_t r = 0; r < row_count; ++r)
      lanes[r].Accumulate(ActivationRow(job, first_row + r) + k, decoded, count);
  }
  for (std::int64_t r = 0; r < row_count; ++r)
    job.y[(first_row + r) * job.y_stride + output] = lanes[r].Total();
}

void DotRef(const MatMulJob& job) noexcept {
  for (std::int64_t r = 0; r < job.x.rows; r += kRows)
    for (std::int64_t output = job.first_output; output < job.last_output; ++output)
      DotOutput(job, output, r, std::min(kRows, job.x.rows - r));
}

// y[c] += x[n] * w[n][c] for ascending stored rows n, columns [first, last).
void TransposedColumns(const MatMulJob& job, std::int64_t first, std::int64_t last) {
  float* decoded = reinterpret_cast<float*>(job.scratch);
  const std::int64_t block = Info(job.weight.format).block_values;
  const std::int64_t from = first / block * block;
  const std::int64_t to = std::min((last + block - 1) / block * block, job.weight.columns);
  for (std::int64_t r = 0; r < job.x.rows; ++r)
    for (std::int64_t c = first; c < last; ++c) job.y[r * job.y_stride + c] = 0.0f;
  for (std::int64_t n = 0; n < job.weight.rows; ++n) {
    Decode(job.weight, n, from, to - from, decoded);
    for (std::int64_t r = 0; r < job.x.rows; ++r) {
      const float x = ActivationRow(job, r)[n];
      float* y = job.y + r * job.y_stride;
      for (std::int64_t c = first; c < last; ++c) y[c] = std::fma(x, decoded[c - from], y[c]);
    }
  }
}

void TransposedRef(const MatMulJob& job) noexcept {
  for (std::int64_t c = job.first_output / kChunk * kChunk; c < job.last_output; c += kChunk)
    TransposedColumns(job, std::max(c, job.first_output), std::min(c + kChunk, job.last_output));
}

}  // namespace

void FillFloatRef(MatMulTable* table) {
  for (MatMulKernel& kernel : table->exact) kernel = DotRef;
  for (MatMulKernel& kernel : table->transposed) kernel = TransposedRef;
  table->fast[static_cast<int>(WeightFormat::kF32)] = DotRef;
  table->fast[static_cast<int>(WeightFormat::kF16)] = DotRef;
}

}  // namespace hadal
