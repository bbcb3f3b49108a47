#include "engine/order.h"

#include <algorithm>
#include <string>

#include "base/process_memory.h"
#include "base/utf8.h"
#include "engine/answer_guide.h"
#include "engine/answer_task.h"
#include "engine/prompt.h"
#include "engine/token_healing.h"

namespace hadal {
namespace {

// Further apart than these, levels would differ by more than any queue lasts.
constexpr std::int32_t kMostPriority = 1000;

// Whether the timeline can become this long, said before any work.
Status CheckRoom(const EngineInfo& info, std::int64_t prompt_tokens, std::int64_t max_tokens,
                 std::int64_t held_tokens) {
  const std::int64_t wanted = std::max<std::int64_t>(max_tokens, 1);
  if (prompt_tokens > info.context_tokens || wanted > info.context_tokens - prompt_tokens)
    return UsageError("context",
                      std::to_string(prompt_tokens) + " tokens of prompt and " +
                          std::to_string(wanted) + " to generate",
                      "at most " + std::to_string(info.context_tokens) + " together",
                      "shorten the prompt, generate less, or raise the context (--ctx)");
  const std::int64_t needed = prompt_tokens + wanted;
  const std::uint64_t available = AvailableMemoryBytes();
  const auto new_tokens =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, needed - held_tokens));
  const std::uint64_t bytes = new_tokens * info.cache_bytes_per_token +
                              (held_tokens == 0 ? info.cache_bytes_per_session : 0);
  if (available > 0 && bytes > available)
    return NoRoom("cache", std::to_string(available) + " bytes of memory that are free",
                  std::to_string(bytes) + " for " + std::to_string(needed) + " tokens",
                  "ask for a shorter context (--ctx), or close other programs");
  return {};
}

Status CheckStops(const GenerateRequest& request, bool has_tokenizer) {
  for (const std::string& stop : request.stops)
    if (stop.empty() || !IsUtf8(stop))
      return UsageError("stop string", stop.empty() ? "an empty one" : "bytes that are not UTF-8",
                        "text", "give at least one character, in UTF-8");
  if (!request.stops.empty() && !has_tokenizer)
    return UsageError("stop string", "a model without a tokenizer", "stop tokens, by id",
                      "load a model with its tokenizer");
  return {};
}

}  // namespace

Result<StepLoop::Request> MakeOrder(Engine::Impl* engine, const GenerateRequest& request,
                                    std::uint64_t sequence, std::int64_t held_tokens,
                                    GenerateSink sink, std::shared_ptr<AnswerControl> control) {
  const EngineInfo& info = engine->info;
  HADAL_RETURN_IF_ERROR(CheckSampling(request.sampling, info.vocabulary));
  HADAL_RETURN_IF_ERROR(CheckStops(request, info.has_tokenizer));
  if (request.prompt_log_probabilities && request.sampling.log_probabilities < 0)
    return UsageError("prompt_log_probabilities", "no log-probabilities for the answer",
                      "both, or those of the answer alone", "set log_probabilities too");
  if (request.max_tokens < 0)
    return UsageError("max_tokens", std::to_string(request.max_tokens), "0 (no bound) or a count",
                      "use 0 to stop at the model's own end");
  if (!(request.first_token_seconds >= 0.0) || !(request.total_seconds >= 0.0))
    return UsageError("deadline", "a time below 0", "0 (no bound) or seconds", "leave it out");
  HADAL_ASSIGN_OR_RETURN(PreparedPrompt prompt,
                         PreparePrompt(request, engine->language, info.vocabulary));
  const std::int64_t prompt_tokens = prompt.tokens();
  control->prompt_tokens = prompt_tokens;
  HADAL_RETURN_IF_ERROR(CheckRoom(info, prompt_tokens, request.max_tokens, held_tokens));

  if (request.prompt_log_probabilities && !prompt.open.text.empty())
    return UsageError("prompt_log_probabilities", "a prompt whose last tokens may be taken back",
                      "a text or ids that stay as they are", "leave out one of the two");
  if (!prompt.open.text.empty())
    HealPrompt(*engine->grammars.Trie(*engine->language.tokenizer, info.vocabulary), &prompt);

  StepLoop::Request order;
  order.sequence = sequence;
  order.prompt = prompt.ids;
  order.max_tokens =
      request.max_tokens > 0 ? request.max_tokens : info.context_tokens - prompt_tokens;
  order.tenant = request.tenant;
  order.priority = std::clamp(request.priority, -kMostPriority, kMostPriority);
  order.space = request.cache_space;
  HADAL_ASSIGN_OR_RETURN(
      std::unique_ptr<AnswerGuide> guide,
      AnswerGuide::Make(request, prompt,
                        {&engine->language, info.vocabulary, order.max_tokens, &engine->grammars}));
  // Tokens that only give back what was taken are not counted, and the task says when it is enough.
  order.max_tokens = std::min(order.max_tokens + std::ssize(prompt.owed.bytes),
                              info.context_tokens - std::ssize(prompt.ids));
  if (request.prompt_log_probabilities) {  // the task says what is chosen of the rest
    order.prompt.resize(1);
    order.max_tokens += prompt_tokens - 1;
  }
  order.task = std::make_shared<AnswerTask>(request, std::move(prompt), engine->language.tokenizer,
                                            std::move(guide), std::move(sink), std::move(control));
  return order;
}

}  // namespace hadal
