// DeepSeek-V2-Chat (and V2-Lite-Chat): "User: ...\n\nAssistant: ...<end>", system texts in place.
#include "text/deepseek_marks.h"
#include "text/encode.h"

namespace hadal {

Status EncodeV2(const Conversation& conversation, const EncodeOptions& options, PromptWriter* out) {
  out->Markup(deepseek::kBegin);
  for (const Message& message : conversation.messages) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation, message));
    if (message.role == "user")
      out->Markup("User: ").Quote(text).Markup("\n\n");
    else if (message.role == "assistant")
      out->Markup("Assistant: ").Quote(text).Markup(deepseek::kEnd);
    else
      out->Quote(text).Markup("\n\n");
  }
  if (options.add_generation_prompt) out->Markup("Assistant:");
  return {};
}

}  // namespace hadal
