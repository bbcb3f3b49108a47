// The plain <|im_start|> form, and the models whose templates differ only in the system text that
// they put in front of a conversation without one.
#include "text/encode.h"

namespace hadal {
namespace {

Status Write(const Conversation& conversation, const EncodeOptions& options,
             std::string_view default_system, PromptWriter* out) {
  if (!default_system.empty() && conversation.messages.front().role != "system")
    out->Markup("<|im_start|>system\n").Markup(default_system).Markup("<|im_end|>\n");
  for (const Message& message : conversation.messages) {
    HADAL_ASSIGN_OR_RETURN(const std::string text, RequireText(conversation, message));
    out->Markup("<|im_start|>").Quote(message.role).Markup("\n");
    out->Quote(text).Markup("<|im_end|>\n");
  }
  if (options.add_generation_prompt) out->Markup("<|im_start|>assistant\n");
  return {};
}

}  // namespace

Status EncodeChatMl(const Conversation& conversation, const EncodeOptions& options,
                    PromptWriter* out) {
  return Write(conversation, options, "", out);
}

Status EncodeQwen2(const Conversation& conversation, const EncodeOptions& options,
                   PromptWriter* out) {
  return Write(conversation, options, "You are a helpful assistant", out);
}

// The published Qwen2-Instruct checkpoints end the sentence; the copy in llama.cpp's vocabulary
// file (format "qwen2") does not.
Status EncodeQwen2Instruct(const Conversation& conversation, const EncodeOptions& options,
                           PromptWriter* out) {
  return Write(conversation, options, "You are a helpful assistant.", out);
}

Status EncodeSmolLm2(const Conversation& conversation, const EncodeOptions& options,
                     PromptWriter* out) {
  return Write(conversation, options,
               "You are a helpful AI assistant named SmolLM, trained by Hugging Face", out);
}

}  // namespace hadal
