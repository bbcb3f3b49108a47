#include "text/continue_turn.h"

#include "text/deepseek_marks.h"
#include "text/prompt_writer.h"

namespace hadal {
namespace {

Status AdmitContinued(const Conversation& conversation) {
  const Message& last = conversation.messages.back();
  const std::string place = MessagePlace(conversation, last);
  if (last.role != "assistant")
    return UsageError(place + ".role", "\"" + last.role + "\"",
                      "an assistant's message, since the last one is to be continued",
                      "put the beginning of the answer into a last message of the assistant");
  if (!last.tool_calls.empty())
    return Unsupported(place, "tool calls", "text or reasoning that the model goes on with",
                       "answer the calls with messages of the role tool");
  const std::size_t size = conversation.messages.size();
  const std::string before = size < 2 ? "" : conversation.messages[size - 2].role;
  if (before != "user" && before != "tool" && before != "developer")
    return Unsupported(place, before.empty() ? "no message before it" : "role \"" + before + "\"",
                       "a user's message before the answer that is to be continued",
                       "say what the answer is for, and join neighbouring assistant messages");
  return {};
}

// Whether the model opens a think block itself, before any text.
bool OpensThinkItself(const PromptFormat& format, const EncodeOptions& options) {
  switch (format.thinking) {
    case Thinking::kAlways:
    case Thinking::kUsually:
      return options.think != Think::kOff;
    case Thinking::kOnDemand:  // the prompt says it
    case Thinking::kNone:
      return false;
  }
  return false;
}

}  // namespace

Status EncodeContinued(const PromptFormat& format, const Conversation& conversation,
                       const EncodeOptions& options, PromptWriter* out) {
  HADAL_RETURN_IF_ERROR(AdmitContinued(conversation));
  const Message& last = conversation.messages.back();
  Conversation before = conversation;
  before.messages.pop_back();
  EncodeOptions opened = options;
  opened.continue_last = false;
  opened.add_generation_prompt = true;
  HADAL_RETURN_IF_ERROR(format.encode(before, opened, out));

  const std::string text = last.content.Join("\n");
  const std::string_view gap = format.shape.think_break;
  bool thinks = EndsInsideThink(out->text());
  const bool closed = out->text().ends_with(deepseek::kThinkEnd) ||
                      out->text().ends_with("</think>\n\n");  // by the prompt itself
  if (!thinks && !closed && OpensThinkItself(format, options)) {
    out->Markup(deepseek::kThink).Markup(gap);
    thinks = true;
  }
  if (thinks) {
    out->Quote(last.reasoning);
    if (!text.empty()) out->Markup(gap).Markup(deepseek::kThinkEnd).Markup(gap).Markup(gap);
  }
  if (!text.empty()) out->Markup(format.shape.before_text).Quote(text);
  out->set_inside_think(thinks && text.empty());
  return {};
}

}  // namespace hadal
