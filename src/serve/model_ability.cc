#include "serve/model_ability.h"

#include <algorithm>

#include "engine/engine_impl.h"
#include "text/fill_in.h"

namespace hadal {
namespace {

std::ptrdiff_t RankOf(std::string_view effort) {
  return std::ranges::find(kEfforts, effort) - kEfforts.begin();
}

// The word of the model's own for an effort; empty where it has none.
std::string_view KnownEffort(const PromptFormat& format, std::string_view effort) {
  std::string_view best, most;
  for (const std::string_view known : format.efforts) {
    if (RankOf(known) >= RankOf(effort) && (best.empty() || RankOf(known) < RankOf(best)))
      best = known;
    if (most.empty() || RankOf(known) > RankOf(most)) most = known;
  }
  return best.empty() ? most : best;
}

}  // namespace

bool ModelAbility::fills_in() const { return tokenizer != nullptr && KnowsFillIn(*tokenizer); }

ModelAbility AbilityOf(const Engine& engine) {
  const Language& language = engine.impl().language;
  return {language.format, language.tokenizer.get()};
}

std::string_view TokenBytes(const ModelAbility& ability, std::int32_t token) {
  return ability.tokenizer == nullptr ? std::string_view() : ability.tokenizer->TokenBytes(token);
}

std::vector<std::int32_t> ReadTokenIds(std::span<const Metadata> items, const std::string& path,
                                       const ModelAbility& ability, RequestReader* reader) {
  const std::int64_t end =
      ability.tokenizer != nullptr ? ability.tokenizer->vocabulary() : std::int64_t{1} << 31;
  std::vector<std::int32_t> ids;
  for (const Metadata& item : items) {
    const auto id = item.is_integer() ? item.integer() : std::nullopt;
    if (!id || *id < 0 || *id >= end) {
      reader->Fail(InvalidField(
          path, "'" + path + "' must hold ids of this model's tokens, not " + item.Describe(),
          "invalid_value"));
      break;
    }
    ids.push_back(static_cast<std::int32_t>(*id));
  }
  return ids;
}

void SetThinking(Fields* fields, std::string_view key, bool on, const ModelAbility& ability,
                 Chat* chat) {
  if (on && !ability.thinks())
    return fields->Fail(key, "asks a model to think that does not", "unsupported_parameter");
  if (!on && ability.always_thinks())
    return fields->Fail(key, "turns off thinking, which this model always does",
                        "unsupported_value");
  chat->think = on ? ThinkMode::kOn : ThinkMode::kOff;
}

void SetEffort(Fields* fields, std::string_view key, std::string_view effort,
               const ModelAbility& ability, Chat* chat) {
  if (RankOf(effort) == std::ssize(kEfforts))
    return fields->Fail(key, "must be one of none, minimal, low, medium, high, xhigh, max",
                        "invalid_value");
  const bool on = effort != "none";
  SetThinking(fields, key, on, ability, chat);
  if (on && ability.thinks()) chat->effort = KnownEffort(*ability.format, effort);
}

}  // namespace hadal
