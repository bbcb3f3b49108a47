// What stands behind Engine: the loop that owns the model, and the model's language.
#pragma once

#include <memory>

#include "engine/language.h"
#include "engine/step_loop.h"
#include "hadal/engine.h"
#include "sample/answer_grammar.h"

namespace hadal {

// Immutable but for the loop and the grammars, which are thread-safe.
struct Engine::Impl {
  EngineInfo info;
  Language language;
  GrammarStore grammars;
  std::unique_ptr<StepLoop> loop;
};

// An engine around a model that is loaded already (tests, checks). `info` needs what only the
// caller knows: path, architecture, threads; the rest is taken from the model.
std::shared_ptr<Engine> MakeEngine(std::unique_ptr<Model> model, Language language, EngineInfo info,
                                   const StepLoopOptions& options = {},
                                   std::unique_ptr<Draft> draft = nullptr);

}  // namespace hadal
