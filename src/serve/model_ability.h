// What a model can do with language: what the lists of models say, and what a request may ask for.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hadal/engine.h"
#include "serve/json_reader.h"
#include "text/prompt_format.h"
#include "text/tokenizer.h"

namespace hadal {

// Belongs to the engine that it was made of and must not outlive it.
struct ModelAbility {
  const PromptFormat* format = nullptr;  // nullptr: plain text only
  const Tokenizer* tokenizer = nullptr;  // nullptr: ids only

  bool chats() const { return format != nullptr && tokenizer != nullptr; }
  bool thinks() const { return format != nullptr && format->thinking != Thinking::kNone; }
  bool always_thinks() const { return format != nullptr && format->thinking == Thinking::kAlways; }
  bool calls_tools() const { return format != nullptr && format->tools != ToolSupport::kNone; }
  bool fills_in() const;
};
ModelAbility AbilityOf(const Engine& engine);

// The bytes of a token, which may be part of a character.
std::string_view TokenBytes(const ModelAbility& ability, std::int32_t token);

// The ids of a list that a request holds at `path`. Fails the reader where one is no token.
inline constexpr std::size_t kMostTokenIds = std::size_t{1} << 20;
std::vector<std::int32_t> ReadTokenIds(std::span<const Metadata> items, const std::string& path,
                                       const ModelAbility& ability, RequestReader* reader);

// How much to think, from nothing to the most.
inline constexpr std::array<std::string_view, 7> kEfforts = {"none", "minimal", "low", "medium",
                                                             "high", "xhigh",   "max"};

// How much to think, in a client's words: one of kEfforts. The model gets the least effort it knows
// that is as much, else its most. Fails the field where the model cannot think, or cannot leave it.
void SetEffort(Fields* fields, std::string_view key, std::string_view effort,
               const ModelAbility& ability, Chat* chat);
// The same for on and off.
void SetThinking(Fields* fields, std::string_view key, bool on, const ModelAbility& ability,
                 Chat* chat);

}  // namespace hadal
