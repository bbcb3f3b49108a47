#include "engine/answer_tools.h"

#include <algorithm>

#include "base/json.h"

namespace hadal {
namespace {

const Metadata& FunctionOf(const Metadata& definition) {
  const Metadata* inner = definition.FindNonNull("function");
  return inner != nullptr ? *inner : definition;
}

// Marks of every format stay out of names.
bool IsToolName(std::string_view name) {
  constexpr std::size_t kMostNameBytes = 128;
  return !name.empty() && name.size() <= kMostNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace

bool IsStrictTool(const Metadata& definition) {
  for (const Metadata* at : {&definition, &FunctionOf(definition)}) {
    const Metadata* strict = at->Find("strict");
    if (strict != nullptr && strict->boolean() == true) return true;
  }
  return false;
}

Result<std::vector<CallableTool>> CallableTools(const ToolChoice& choice,
                                                const PreparedPrompt& prompt, bool forced) {
  if (!prompt.has_tools)
    return UsageError("tool_choice", "a call that is asked for, and no tools", "tools to call",
                      "add the definitions of the tools");
  if (!HasCalls(prompt.syntax))
    return Unsupported("tool_choice", "a model whose format has no tool calls",
                       "one that was trained on tools", "ask for a form of the answer instead");
  std::vector<CallableTool> tools;
  const auto definitions = prompt.tools.root().items();
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    const Metadata& function = FunctionOf(definitions[i]);
    const Metadata* name = function.Find("name");
    const std::string place = "tools/" + std::to_string(i);
    if (name == nullptr || !name->is_string() || !IsToolName(*name->string()))
      return UsageError(place + "/name", name == nullptr ? "nothing" : name->Describe(),
                        "letters, digits, _, - and .", "correct the definition");
    if (choice.kind == ToolChoice::Kind::kNamed && choice.name != *name->string()) continue;
    CallableTool tool{std::string(*name->string()), {}, place + "/parameters#"};
    const Metadata* parameters = function.FindNonNull("parameters");
    const bool given = parameters != nullptr && !parameters->members().empty();
    if (given && (forced || IsStrictTool(definitions[i]))) {
      HADAL_ASSIGN_OR_RETURN(tool.parameters, ParseSchema(WriteJson(*parameters), tool.where));
    }
    tools.push_back(std::move(tool));
  }
  if (tools.empty())
    return UsageError("tool_choice", "\"" + choice.name + "\"", "the name of one of the tools",
                      "correct the name, or add the tool");
  return tools;
}

}  // namespace hadal
