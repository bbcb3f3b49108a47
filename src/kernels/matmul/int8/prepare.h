// Activations to int8. After a vector_*.h; see int8.h. The definition is in ref.cc.
#pragma once

#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

// One block of kColumns values; returns its scale. Codes lie at out[0 .. kColumns), sums of 16 of
// them at sums[0 .. kColumns / 16).
template <int kColumns>
HADAL_INLINE float PrepareBlock(const float* x, std::int8_t* codes, std::int16_t* sums) {
  Int largest = Zero();
  for (int i = 0; i < kColumns; i += kLanes)
    largest = Larger(largest, And(AsInt(LoadAll(x + i)), Same(0x7FFF'FFFF)));
  const std::uint32_t bits = static_cast<std::uint32_t>(LargestLane(largest));
  float magnitude;
  __builtin_memcpy(&magnitude, &bits, 4);
  const float scale = magnitude / 127.0f;
  const bool usable = scale > 0.0f && bits < 0x7F80'0000u;
  // Where it is not, every quotient is replaced by 0 / 1.
  const Int keep = Same(usable ? -1 : 0);
  const Float divisor = Same(usable ? scale : 1.0f);
  for (int i = 0; i < kColumns; i += kLanes) {
    const Float value = AsFloat(And(AsInt(LoadAll(x + i)), keep));
    const Int rounded = ToIntNearest(Divide(value, divisor));
    StoreAsInt8(codes + i, Larger(Smaller(rounded, Same(127)), Same(-127)));
  }
  for (int i = 0; i < kColumns; i += 16) sums[i / 16] = SumOf16(codes + i);
  return scale;
}

template <int kColumns>
void Prepare(const PrepareJob& job) noexcept {
  const PreparedActivations& out = job.out;
  const std::int64_t blocks = out.columns / kColumns;
  for (std::int64_t row = job.first_row; row < job.last_row; ++row) {
    const float* x = job.x + row * job.x_stride;
    std::int8_t* codes = static_cast<std::int8_t*>(out.codes) + row * out.code_stride;
    std::int16_t* sums = out.sums + row * (out.columns / 16);
    for (std::int64_t b = 0; b < blocks; ++b)
      out.scales[row * blocks + b] = PrepareBlock<kColumns>(x + b * kColumns, codes + b * kColumns,
                                                            sums + b * (kColumns / 16));
  }
}

void FillPrepare(MatMulTable* table) {
  table->prepare[static_cast<int>(ActivationForm::kInt8x32)] = Prepare<32>;
  table->prepare[static_cast<int>(ActivationForm::kInt8x256)] = Prepare<256>;
}

}  // namespace
}  // namespace hadal
