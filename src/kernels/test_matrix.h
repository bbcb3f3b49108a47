// What the tests of this room share: the levels of this machine, random activations at odd
// addresses, random weights of every format, and comparison bit for bit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/cpu_ops.h"
#include "ops/linear.h"

namespace hadal::kernel_test {

// Names of the levels that this processor has, `ref` first.
std::vector<std::string> Levels();
// The same, and those of test_emulated.h.
std::vector<std::string> LevelsOfProducts();
std::unique_ptr<Ops> OpsAt(const std::string& level, Profile profile, int threads = 1);

// Normal values; the first lies `skew` floats past a 64-byte boundary, rows are `stride` apart.
class Rows {
 public:
  Rows(std::int64_t rows, std::int64_t columns, std::uint64_t seed, std::int64_t skew = 0,
       std::int64_t extra_stride = 0);
  // The same values in memory of its own, aligned alike.
  Rows Copy() const;
  View view() const;
  float* row(std::int64_t r) { return memory_->data() + first_ + r * stride_; }
  const float* row(std::int64_t r) const { return memory_->data() + first_ + r * stride_; }
  // The values without what lies between rows.
  std::vector<float> Values() const;

 private:
  std::int64_t rows_, columns_, stride_, first_ = 0;
  std::shared_ptr<std::vector<float>> memory_;  // never moves
};

// A stored matrix with values of order 1 / sqrt(columns). FP8 scales are F32 or E8M0.
struct Matrix {
  std::vector<std::byte> codes, scales;
  std::vector<float> bias;
  Linear linear;
};
struct MatrixShape {
  WeightFormat format = WeightFormat::kF32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  int block = 128;        // kFp8Block
  int block_rows = 0;     // kFp8Block; 0: block
  bool e8m0 = false;      // kFp8Block
  std::int64_t skew = 0;  // bytes by which the codes are misaligned
};
std::unique_ptr<Matrix> MakeMatrix(const MatrixShape& shape, std::uint64_t seed);

// The values of the whole matrix, by the scalar definition.
std::vector<float> Decoded(const Linear& linear);

// Where two equal-sized vectors first differ in a bit; -1 where they do not. NaN equals NaN.
std::int64_t FirstDifference(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace hadal::kernel_test
