// From a GenerateRequest to what the loop takes: one way for Session::Generate and Engine::Start.
#pragma once

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "engine/answer_control.h"
#include "engine/engine_impl.h"
#include "hadal/generate.h"

namespace hadal {

// Checks the request, makes tokens of it and gives it a task that tells `sink`. `sequence` is the
// session's timeline, of which `held_tokens` have their memory already; 0 for a timeline of its
// own. kUsage where the request is wrong or does not fit the context, kNoRoom where memory is
// missing.
Result<StepLoop::Request> MakeOrder(Engine::Impl* engine, const GenerateRequest& request,
                                    std::uint64_t sequence, std::int64_t held_tokens,
                                    GenerateSink sink, std::shared_ptr<AnswerControl> control);

}  // namespace hadal
