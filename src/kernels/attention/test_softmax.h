// Attention of one query in double, with a bound on what the f32 or the bf16 form may
// differ by.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace hadal::kernel_test {

struct SoftmaxCase {
  const float* q = nullptr;
  std::vector<const float*> keys, values;  // what is seen, in order
  std::int64_t width = 0, value_width = 0;
  double scale = 1.0;
  std::optional<float> sink;
  bool bf16 = false;  // the form of ops/attention.h that multiplies pairs
};
struct Exact {
  std::vector<double> y, bound;
};
Exact SoftmaxInDouble(const SoftmaxCase& c);

}  // namespace hadal::kernel_test
