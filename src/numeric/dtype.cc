#include "numeric/dtype.h"

#include "base/bytes.h"
#include "base/check.h"

namespace hadal {
namespace {

constexpr DTypeInfo kTable[] = {
    {DType::kF32, "F32", 1, 4},        {DType::kF16, "F16", 1, 2},
    {DType::kBF16, "BF16", 1, 2},      {DType::kF8E4M3, "F8_E4M3", 1, 1},
    {DType::kF8E8M0, "F8_E8M0", 1, 1}, {DType::kI8, "I8", 1, 1},
    {DType::kU8, "U8", 1, 1},          {DType::kI16, "I16", 1, 2},
    {DType::kI32, "I32", 1, 4},        {DType::kI64, "I64", 1, 8},
    {DType::kBool, "BOOL", 1, 1},      {DType::kF64, "F64", 1, 8},
    {DType::kQ8_0, "Q8_0", 32, 34},    {DType::kQ4_0, "Q4_0", 32, 18},
    {DType::kQ4_1, "Q4_1", 32, 20},    {DType::kQ5_0, "Q5_0", 32, 22},
    {DType::kQ5_1, "Q5_1", 32, 24},    {DType::kQ4_K, "Q4_K", 256, 144},
    {DType::kQ5_K, "Q5_K", 256, 176},  {DType::kQ6_K, "Q6_K", 256, 210},
    {DType::kMXFP4, "MXFP4", 32, 17},
};

}  // namespace

std::span<const DTypeInfo> AllDTypes() { return kTable; }

const DTypeInfo& Info(DType dtype) {
  for (const DTypeInfo& info : kTable)
    if (info.dtype == dtype) return info;
  HADAL_CHECK(false, "a dtype without a row in the table");
}

std::optional<DType> DTypeByName(std::string_view name) {
  for (const DTypeInfo& info : kTable)
    if (info.name == name) return info.dtype;
  return std::nullopt;
}

std::optional<std::uint64_t> RowBytes(DType dtype, std::uint64_t values) {
  const DTypeInfo& info = Info(dtype);
  const auto block_values = static_cast<std::uint64_t>(info.block_values);
  if (values % block_values != 0) return std::nullopt;
  return CheckedMul(values / block_values, static_cast<std::uint64_t>(info.block_bytes));
}

}  // namespace hadal
