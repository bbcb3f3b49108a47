#include "numeric/weight_format.h"

#include "base/check.h"

namespace hadal {
namespace {

using enum WeightFormat;

constexpr WeightFormatInfo kTable[] = {
    {WeightFormat::kF32, "F32", ActivationForm::kF32, 1},
    {WeightFormat::kF16, "F16", ActivationForm::kF32, 1},
    {WeightFormat::kBF16, "BF16", ActivationForm::kBF16, 1},
    {kFp8Block, "FP8_BLOCK", ActivationForm::kBF16, 1},
    {kMxfp4, "MXFP4_SPLIT", ActivationForm::kInt8x32, 32},
    {kNvfp4, "NVFP4", ActivationForm::kInt8x32, 32},
    {kQ8_0, "Q8_0", ActivationForm::kInt8x32, 32},
    {kQ4_0, "Q4_0", ActivationForm::kInt8x32, 32},
    {kQ4_1, "Q4_1", ActivationForm::kInt8x32, 32},
    {kQ5_0, "Q5_0", ActivationForm::kInt8x32, 32},
    {kQ5_1, "Q5_1", ActivationForm::kInt8x32, 32},
    {kQ4_K, "Q4_K", ActivationForm::kInt8x256, 256},
    {kQ5_K, "Q5_K", ActivationForm::kInt8x256, 256},
    {kQ6_K, "Q6_K", ActivationForm::kInt8x256, 256},
    {kGgufMxfp4, "MXFP4", ActivationForm::kInt8x32, 32},
};

}  // namespace

std::span<const WeightFormatInfo> AllWeightFormats() { return kTable; }

const WeightFormatInfo& Info(WeightFormat format) {
  for (const WeightFormatInfo& info : kTable)
    if (info.format == format) return info;
  HADAL_CHECK(false, "a weight format without a row in the table");
}

std::optional<WeightFormat> WeightFormatOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return WeightFormat::kF32;
    case DType::kF16:
      return WeightFormat::kF16;
    case DType::kBF16:
      return WeightFormat::kBF16;
    case DType::kQ8_0:
      return kQ8_0;
    case DType::kQ4_0:
      return kQ4_0;
    case DType::kQ4_1:
      return kQ4_1;
    case DType::kQ5_0:
      return kQ5_0;
    case DType::kQ5_1:
      return kQ5_1;
    case DType::kQ4_K:
      return kQ4_K;
    case DType::kQ5_K:
      return kQ5_K;
    case DType::kQ6_K:
      return kQ6_K;
    case DType::kMXFP4:
      return kGgufMxfp4;
    default:
      return std::nullopt;
  }
}

}  // namespace hadal
