// The tools of a request as a grammar of calls wants them.
#pragma once

#include <vector>

#include "base/status.h"
#include "engine/prompt.h"
#include "hadal/generate.h"
#include "sample/call_grammar.h"

namespace hadal {

// Whether a definition says "strict": true.
bool IsStrictTool(const Metadata& definition);

// The tools that may be called. Arguments follow their schema where the call is forced or the tool
// is strict, and are any object otherwise. kUsage where there are no tools, the choice names none
// of them, or a definition is unsound; kUnsupported where the prompt's format knows no calls.
Result<std::vector<CallableTool>> CallableTools(const ToolChoice& choice,
                                                const PreparedPrompt& prompt, bool forced);

}  // namespace hadal
