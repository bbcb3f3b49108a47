#include "serve/model_description.h"

#include <utility>

namespace hadal {

ModelSummary Summarize(const ModelPool::Row& row, ModelCatalog& catalog) {
  ModelSummary summary;
  if (!row.path.empty()) {
    if (const auto facts = catalog.Facts(row.path); facts.ok())
      summary = {.architecture = facts->architecture,
                 .parameter_size = ParameterText(facts->parameters),
                 .quantization = facts->quantization,
                 .context_tokens = facts->context_tokens,
                 .vocabulary = facts->vocabulary,
                 .recommended = facts->recommended};
  }
  if (row.engine == nullptr) return summary;
  const EngineInfo& info = row.engine->info();
  summary.architecture = info.architecture;
  summary.context_tokens = info.context_tokens;
  summary.vocabulary = info.vocabulary;
  summary.recommended = info.recommended;
  return summary;
}

ApiResult<ModelDescription> DescribeModel(const ModelPool::Row& row, ModelCatalog& catalog) {
  ModelDescription description;
  static_cast<ModelSummary&>(description) = Summarize(row, catalog);
  if (row.engine != nullptr) {
    description.prompt_format = row.engine->info().prompt_format;
    description.ability = AbilityOf(*row.engine);
    description.owner = row.engine;
    return description;
  }
  auto language = catalog.ReadLanguageOf(row.path);
  if (!language.ok())
    return ApiError{
        .kind = ErrorKind::kInternal,
        .message = "model '" + row.name + "' cannot be read: " + language.status().ToString(),
        .param = "model",
        .code = "model_load_failed"};
  const auto owner = std::make_shared<const Language>(*std::move(language));
  description.ability = {.format = owner->format, .tokenizer = owner->tokenizer.get()};
  if (owner->format != nullptr) description.prompt_format = std::string(owner->format->name);
  description.owner = owner;
  return description;
}

}  // namespace hadal
