#include "formats/quantization.h"

#include "formats/layout.h"

namespace hadal {
namespace {

constexpr char kExpected[] =
    "BF16, F16 or F32 weights, FP8 blocks (\"fp8\"), or NVFP4 (\"modelopt\")";
constexpr char kHint[] = "fetch the vendor's BF16 or FP8 release, or a GGUF file";

std::string_view Text(const Metadata& object, std::string_view key) {
  const Metadata* field = object.Find(key);
  return field != nullptr ? field->string().value_or(std::string_view()) : std::string_view();
}

// "4 bits" from the first group of a compressed-tensors configuration.
std::string GroupBits(const Metadata& quantization) {
  const Metadata* groups = quantization.Find("config_groups");
  if (groups == nullptr || groups->members().empty()) return {};
  const Metadata* weights = groups->members()[0].value.Find("weights");
  const Metadata* bits = weights != nullptr ? weights->Find("num_bits") : nullptr;
  const auto count = bits != nullptr ? bits->integer() : std::nullopt;
  return count ? ", " + std::to_string(*count) + " bits" : std::string();
}

Status CheckOne(const Metadata& config, const std::string& where) {
  if (const Metadata* mlx = config.FindNonNull("quantization"); mlx != nullptr && mlx->is_object())
    return Unsupported(where + ": quantization", "MLX quantisation", kExpected, kHint);
  const Metadata* quantization = config.FindNonNull("quantization_config");
  if (quantization == nullptr) return {};
  const std::string place = where + ": quantization_config";
  const std::string_view method = Text(*quantization, "quant_method");
  if (method.empty()) return Unsupported(place, "no quant_method", kExpected, kHint);
  if (method == "fp8") return {};
  if (method == "modelopt") {
    const std::string_view algorithm = Text(*quantization, "quant_algo");
    if (algorithm == "NVFP4") return {};
    return Unsupported(place, "modelopt with " + Quoted(algorithm), kExpected, kHint);
  }
  std::string found = "the quantisation method " + Quoted(method);
  if (const auto format = Text(*quantization, "format"); !format.empty())
    found += " (" + std::string(format) + GroupBits(*quantization) + ")";
  return Unsupported(place, found, kExpected, kHint);
}

}  // namespace

Status CheckQuantization(const Metadata& config, const std::string& where) {
  HADAL_RETURN_IF_ERROR(CheckOne(config, where));
  const Metadata* text = config.FindNonNull("text_config");
  return text != nullptr ? CheckOne(*text, where + ": text_config") : Status();
}

}  // namespace hadal
