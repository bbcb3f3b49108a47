// Any JSON as a request, in every prompt format and under every kind of option: it is refused or it
// becomes a prompt whose quoted spans lie in it. Also the detection of templates on the raw bytes.
#include <cstdint>

#include "base/check.h"
#include "base/json.h"
#include "text/prompt_format.h"

namespace hadal {
namespace {

void CheckSpans(const Prompt& prompt) {
  std::size_t at = 0;
  for (const Prompt::Span& span : prompt.quoted) {
    HADAL_CHECK(span.begin >= at && span.begin < span.end && span.end <= prompt.text.size(),
                "a span outside of the prompt");
    at = span.end;
  }
}

void Try(const Conversation& conversation, const EncodeOptions& options) {
  for (const PromptFormat& format : PromptFormats()) {
    const auto prompt = EncodePrompt(format, conversation, options);
    if (prompt.ok())
      CheckSpans(*prompt);
    else
      HADAL_CHECK(!prompt.status().where().empty(), "a refusal that says no place");
  }
}

}  // namespace
}  // namespace hadal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hadal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  PromptHints hints;
  hints.where = "fuzz";
  hints.chat_template = text;
  (void)DetectPromptFormat(hints).ok();
  const auto document = ParseJson(text, "fuzz");
  if (!document.ok()) return 0;
  (void)FindChatTemplate(document->root());
  const auto conversation = ParseConversation(*document, "fuzz");
  if (!conversation.ok()) return 0;
  Try(*conversation, {});
  EncodeOptions continued;
  continued.continue_last = true;
  Try(*conversation, continued);
  EncodeOptions options;
  options.add_generation_prompt = false;
  options.think = Think::kOn;
  options.tools_in_system = true;
  options.tools_in_user_message = false;
  options.builtin_tools = {"f"};
  options.arguments = ArgumentsForm::kValue;
  Try(*conversation, options);
  options.drop_thinking = false;
  options.think = Think::kMax;
  Try(*conversation, options);
  return 0;
}
