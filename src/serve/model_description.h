// What lists and details say of a model, whether it is loaded or not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hadal/engine.h"
#include "serve/model_ability.h"
#include "serve/model_pool.h"

namespace hadal {

struct ModelSummary {
  std::string architecture = {};  // this and the next two: empty where headers do not say it
  std::string parameter_size = {}, quantization = {};
  std::int64_t context_tokens = 0, vocabulary = 0;
  SamplingOptions recommended = {};
};
// Of the engine where it is loaded, and of the headers of its files; they are read once.
ModelSummary Summarize(const ModelPool::Row& row, ModelCatalog& catalog);

struct ModelDescription : ModelSummary {
  std::string prompt_format = {};
  ModelAbility ability = {};  // as long as `owner` lives
  std::shared_ptr<const void> owner = nullptr;
};
// With its language, which is read for one that is not loaded. 500 where that fails.
ApiResult<ModelDescription> DescribeModel(const ModelPool::Row& row, ModelCatalog& catalog);

}  // namespace hadal
