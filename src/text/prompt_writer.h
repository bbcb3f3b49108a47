// What the encodings write with: a writer that keeps the template's own words apart from quoted
// ones, and the few pieces of Jinja and Python semantics that published templates rely on.
#pragma once

#include <string>
#include <string_view>

#include "text/prompt_format.h"

namespace hadal {

// Collects a prompt. Markup is the template's own text; Quote is text from the conversation.
class PromptWriter {
 public:
  PromptWriter& Markup(std::string_view text) {
    prompt_.text += text;
    return *this;
  }
  PromptWriter& Quote(std::string_view text);
  std::string_view text() const { return prompt_.text; }
  void set_inside_think(bool inside) { prompt_.inside_think = inside; }
  Prompt Finish() && { return std::move(prompt_); }

 private:
  Prompt prompt_;
};

// "messages[3]", the place named in errors.
std::string MessagePlace(const Conversation& conversation, const Message& message);

// The text of a message for a template that concatenates it: parts are joined by a line end, as
// servers do; a missing content is refused.
Result<std::string> RequireText(const Conversation& conversation, const Message& message);

// str.strip() of Python: white space of the Unicode kind at both ends. The text is UTF-8.
std::string_view TrimUnicodeSpace(std::string_view text);
// str.strip("\n"), lstrip and rstrip.
std::string_view TrimLeftLines(std::string_view text);
std::string_view TrimRightLines(std::string_view text);

// What follows the last `mark`; all of it where there is none.
std::string_view AfterLast(std::string_view text, std::string_view mark);

// All system texts joined by a blank line, as DeepSeek's templates collect them.
Result<std::string> JoinSystemTexts(const Conversation& conversation);

// json.dumps(value, ensure_ascii=False).
std::string DumpJson(const Metadata& value, int indent = 0);

// The value that a template gets as a call's arguments: the JSON text (a string node) or what it
// parses to, by `form`. None given, or an empty text to be parsed, is {}. Fails where the text is
// not JSON. The result may point into `call`.
Result<MetadataDocument> ArgumentsAs(ArgumentsForm form, const ToolCall& call,
                                     const std::string& where);

// The same as text: for a template that inserts a string as it is and dumps anything else, and for
// one that dumps whatever it gets (so that a string comes out quoted).
Result<std::string> InsertedArguments(const EncodeOptions& options, const ToolCall& call,
                                      const std::string& where);
Result<std::string> DumpedArguments(const EncodeOptions& options, const ToolCall& call,
                                    const std::string& where);

// Whether thinking is on under these options, for a format with the default `by_default`.
bool ThinkingOn(const EncodeOptions& options, bool by_default);

}  // namespace hadal
