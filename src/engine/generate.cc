#include "hadal/generate.h"

namespace hadal {

std::string_view Name(FinishReason reason) {
  constexpr std::string_view kNames[] = {"stop", "length", "tool_calls", "cancelled"};
  return kNames[static_cast<unsigned char>(reason)];
}

void GenerateResult::Add(const GenerateEvent& event) {
  using Kind = GenerateEvent::Kind;
  if (event.kind == Kind::kPrefill || event.kind == Kind::kPrompt) return;
  text += event.text;
  if (!event.reasoning.empty()) reasoning = reasoning.value_or("") + event.reasoning;
  for (const GenerateEvent::ToolCallPiece& piece : event.tool_calls) {
    const auto call = static_cast<std::size_t>(piece.call);
    if (tool_calls.size() <= call) tool_calls.resize(call + 1);
    tool_calls[call].name += piece.name;
    tool_calls[call].id += piece.id;
    tool_calls[call].arguments += piece.arguments;
    tool_calls[call].repaired |= piece.repaired;
  }
  if (event.kind == GenerateEvent::Kind::kToken) {
    ids.push_back(event.token);
    if (event.log_probability)
      log_probabilities.push_back({*event.log_probability, event.top_log_probabilities});
    return;
  }
  finish_reason = event.finish_reason;
  usage = event.usage;
  timings = event.timings;
}

}  // namespace hadal
