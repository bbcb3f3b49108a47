// Pieces that the V3, R1 and V3.1 encodings share: one call of the history, and the texts that tell
// the model which tools there are. The checkpoints' templates have no place for definitions; the
// words are those of vLLM's tool templates for these models (V3.1: also of its model card), put
// behind the system text.
#pragma once

#include "text/encode.h"

namespace hadal::deepseek {

// V3 and R1: "function<sep>NAME\n```json\nARGUMENTS\n```" between the marks of one call.
void WriteCallV3(const ToolCall& call, std::string_view arguments, PromptWriter* out);
// V3.1: "NAME<sep>ARGUMENTS" between the same marks.
void WriteCallV31(const ToolCall& call, std::string_view arguments, PromptWriter* out);

// `indent` stands before each block that the template has on a line of its own; empty but for the
// format that copies vLLM's white space.
void WriteToolsV3(const std::vector<Metadata>& tools, std::string_view indent, PromptWriter* out);
Status WriteToolsV31(const std::vector<Metadata>& tools, PromptWriter* out);

}  // namespace hadal::deepseek
