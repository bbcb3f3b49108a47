// What a model can do with language: what the lists of models say, and what a request may ask for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

// How much to think, in a client's words: "none", "minimal", "low", "medium", "high", "xhigh",
// "max". The model gets the least effort it knows that is as much, else its most. Fails the field
// where the model cannot think, or cannot leave it.
void SetEffort(Fields* fields, std::string_view key, std::string_view effort,
               const ModelAbility& ability, Chat* chat);
// The same for on and off.
void SetThinking(Fields* fields, std::string_view key, bool on, const ModelAbility& ability,
                 Chat* chat);

}  // namespace hadal
