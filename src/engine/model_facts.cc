#include "engine/model_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engine/load.h"
#include "engine/memory_estimate.h"
#include "model/memory.h"
#include "spec/cache_parts.h"
#include "spec/sizes.h"
#include "spec/tensor_check.h"

namespace hadal {
namespace {

// As files are called that hold most weights so; the halves of a split format go by one name.
std::string_view QuantizationName(WeightFormat format) {
  if (format == WeightFormat::kFp8Block) return "F8_E4M3";
  if (format == WeightFormat::kMxfp4) return "MXFP4";
  return Name(format);
}

std::string Quantization(const CheckedTensors& tensors) {
  std::map<WeightFormat, double> values;  // of matrices; vectors are kept in f32 by everybody
  for (const ExpectedTensor& expected : tensors.plan().tensors()) {
    if (expected.draft || expected.shape.size() < 2 || expected.storage == Storage::kInteger)
      continue;
    for (std::int64_t i = 0; i < expected.instances; ++i) {
      const StoredTensor* stored = tensors.Find(expected.role, expected.layer, i);
      if (stored == nullptr) break;
      values[stored->format] += static_cast<double>(stored->planes) *
                                static_cast<double>(stored->rows) *
                                static_cast<double>(stored->columns);
      if (stored->planes > 1) break;  // a stack stands for all of them
    }
  }
  const auto most =
      std::max_element(values.begin(), values.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == values.end() ? std::string() : std::string(QuantizationName(most->first));
}

}  // namespace

Result<ModelFacts> ReadModelFacts(const std::string& path, const FactsOptions& options) {
  HADAL_ASSIGN_OR_RETURN(const Profile profile, ProfileNamed(options.profile));
  HADAL_ASSIGN_OR_RETURN(const auto checkpoint, Checkpoint::Open(path));
  if (checkpoint->config().is_null())
    return Unusable(path, "weights without a configuration", "a model",
                    "name the directory that holds config.json");
  HADAL_ASSIGN_OR_RETURN(const ModelSpec spec, ReadSpec(*checkpoint));
  const TensorPlan plan = MakeTensorPlan(spec);
  const auto checked = CheckTensors(spec, plan, checkpoint->tensors());
  if (!checked.ok()) return checked.status().At(path);
  ModelFacts facts;
  facts.architecture = spec.architecture;
  facts.parameters = CountParameters(spec, plan, checked->tied()).total;
  facts.quantization = Quantization(*checked);
  facts.vocabulary = spec.vocabulary;
  facts.context_tokens =
      options.context_tokens > 0 ? std::min(options.context_tokens, spec.context) : spec.context;
  facts.recommended = RecommendedSampling(*checkpoint);
  facts.mapped_bytes = checkpoint->mapped_bytes();
  const MemoryEstimate memory = EstimateLoadedMemory(spec, *checked, options.step_tokens);
  facts.own_bytes = memory.derived_bytes + memory.scratch_bytes;
  facts.cache_bytes = CacheBytes(spec, profile, facts.context_tokens);
  return facts;
}

Result<Language> ReadLanguage(const std::string& path, const std::string& format_name) {
  HADAL_ASSIGN_OR_RETURN(const auto checkpoint, Checkpoint::Open(path));
  HADAL_ASSIGN_OR_RETURN(const ModelSpec spec, ReadSpec(*checkpoint));
  return LoadLanguage(*checkpoint, spec, format_name);
}

std::string ParameterText(std::int64_t parameters) {
  const auto count = static_cast<double>(parameters);
  for (const auto& [unit, size] :
       {std::pair{"T", 1e12}, std::pair{"B", 1e9}, std::pair{"M", 1e6}, std::pair{"K", 1e3}})
    if (count >= size) return fmt::format("{:.1f}{}", count / size, unit);
  return fmt::format("{}", parameters);
}

}  // namespace hadal
