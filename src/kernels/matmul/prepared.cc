// Where the parts of prepared activations lie in their memory.
#include <algorithm>

#include "base/bytes.h"
#include "kernels/matmul/kernel.h"

namespace hadal {
namespace {

struct Parts {
  std::size_t scales_at, sums_at, end;
};

Parts PartsOf(ActivationForm form, std::int64_t rows, std::int64_t columns) {
  const auto values = static_cast<std::uint64_t>(rows * columns);
  const auto readable = static_cast<std::uint64_t>((rows + kRowsBehind) * columns);
  switch (form) {
    case ActivationForm::kF32:
      return {0, 0, RoundUp(4 * values, 64)};
    case ActivationForm::kBF16:
      return {0, 0, RoundUp(2 * readable, 64)};
    case ActivationForm::kInt8x32:
    case ActivationForm::kInt8x256:
      break;
  }
  const std::uint64_t block = form == ActivationForm::kInt8x32 ? 32 : 256;
  const std::uint64_t scales_at = RoundUp(values, 64);
  const std::uint64_t sums_at = scales_at + RoundUp(values / block * sizeof(float), 64);
  const std::uint64_t end = sums_at + RoundUp(values / 16 * sizeof(std::int16_t), 64);
  return {scales_at, sums_at, std::max(end, RoundUp(readable, 64))};
}

}  // namespace

std::size_t PreparedBytes(ActivationForm form, std::int64_t rows, std::int64_t columns) {
  return PartsOf(form, rows, columns).end;
}

PreparedActivations PlacePrepared(ActivationForm form, std::int64_t rows, std::int64_t columns,
                                  std::byte* memory) {
  const Parts parts = PartsOf(form, rows, columns);
  PreparedActivations placed{.form = form, .rows = rows, .columns = columns};
  placed.codes = memory;
  placed.code_stride = columns;
  if (parts.scales_at != 0) {
    placed.scales = reinterpret_cast<float*>(memory + parts.scales_at);
    placed.sums = reinterpret_cast<std::int16_t*>(memory + parts.sums_at);
  }
  return placed;
}

}  // namespace hadal
