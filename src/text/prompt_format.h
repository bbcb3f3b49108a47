// Prompt formats: how a conversation becomes the text that a model continues. One row a published
// chat template; the rows are the only place that knows which formats exist. The templates are
// written as plain C++ in encode_*.cc (docs/adding-a-prompt-format.md), never interpreted.
//
// What a template prints is followed to the byte, its oddities included. What it would drop without
// a word (a role that it does not know, a null content that it has no rule for) is refused.
//
// The text begins with the begin-of-sequence token where the template writes one, so the tokenizer
// must not add another; special tokens stand in it as text.
//
// Every function here is pure; any thread may call it.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer_syntax.h"
#include "text/chat.h"

namespace hadal {

struct PromptFormat;

enum class Think : unsigned char { kDefault, kOff, kOn, kMax };

// What a format knows of thinking.
enum class Thinking : unsigned char {
  kNone,      // no such thing
  kAlways,    // the model always thinks
  kUsually,   // on unless turned off
  kOnDemand,  // off unless turned on
};

// What a format knows of tools.
enum class ToolSupport : unsigned char {
  kNone,       // neither definitions nor calls; a conversation with tools is refused
  kCallsOnly,  // calls and results have a place, definitions only through `tools_in_system`
  kFull,
};

// How the template wants the arguments of a call in the history.
enum class ArgumentsForm : unsigned char {
  kText,   // the JSON text as the model wrote it
  kValue,  // the parsed value, which the template dumps
};

// What a message may hold beside text, reasoning and calls.
enum class MessageExtras : unsigned char {
  kNone,
  kTools,  // system and developer: definitions of tools, a response format
  kTasks,  // kTools; quick tasks, turns without an end, results with parts that are not text
};

struct EncodeOptions {
  bool add_generation_prompt = true;  // open the assistant's turn at the end
  Think think = Think::kDefault;
  // How much the model should think, in the words of its release ("high"), or a number where it
  // takes one; empty: its own. Think::kMax is thinking with the effort "max".
  std::string effort;
  // The last message is the beginning of an answer that the model goes on with (continue_turn.h):
  // it is not closed, and add_generation_prompt does not matter.
  bool continue_last = false;
  // Leaves out the reasoning of earlier rounds, where the release lets one choose.
  bool drop_thinking = true;
  // Puts tool definitions into the system text where the template has no place for them, in the
  // words that the model was trained on (kCallsOnly). Off: they are left out, as the template does.
  bool tools_in_system = false;
  // How arguments reach the template; absent: as the format wants them.
  std::optional<ArgumentsForm> arguments;
  // Llama 3.1 and later: the date in the system text (their template's default), whether tools
  // stand in the first user turn, and the tools built into the model that are switched on.
  std::string date = "26 Jul 2024";
  bool tools_in_user_message = true;
  std::optional<std::vector<std::string>> builtin_tools;
};

// The prompt, and which bytes of it came from the conversation rather than from the template: there
// the tokenizer should not match special tokens. Ascending, not touching.
struct Prompt {
  struct Span {
    std::size_t begin = 0, end = 0;
  };
  std::string text;
  std::vector<Span> quoted;
  bool inside_think = false;  // the answer begins inside a think block that the prompt has opened
};

class PromptWriter;
using EncodeFunction = Status (*)(const Conversation&, const EncodeOptions&, PromptWriter*);

// How a model writes the beginning of its answer, where that differs from "<think>...</think>text".
struct AnswerShape {
  std::string_view before_text = "";  // between the assistant's header and the first word
  std::string_view think_break = "";  // inside both tags of a think block, and twice behind it
};

struct PromptFormat {
  std::string_view name;
  std::string_view models;  // for people
  EncodeFunction encode = nullptr;
  AnswerSyntax answer = AnswerSyntax::kPlain;
  Thinking thinking = Thinking::kNone;
  ToolSupport tools = ToolSupport::kNone;
  ArgumentsForm arguments = ArgumentsForm::kText;
  std::span<const std::string_view> roles;  // empty: the template prints any role
  std::span<const std::string_view> stops;  // tokens that end an answer
  std::span<const std::string_view> marks;  // further tokens that the vocabulary must hold
  // The published template holds every text of `holds` and none of `lacks`. Empty `holds`: the
  // format is only ever chosen by name.
  std::span<const std::string_view> holds;
  std::span<const std::string_view> lacks;
  // A release that comes with an encoder instead of a template: the model types that it is for.
  // `holds` and `lacks` are then about the text of that encoder.
  std::span<const std::string_view> model_types = {};
  MessageExtras extras = MessageExtras::kNone;
  std::span<const std::string_view> efforts = {};  // that it knows by name
  int most_effort = 0;                             // numbers from 1 to this are efforts too
  AnswerShape shape = {};
};

std::span<const PromptFormat> PromptFormats();

// By name. Unknown: kUsage, with the names in the hint.
Result<const PromptFormat*> FindPromptFormat(std::string_view name);

// What a checkpoint says about its prompts.
struct PromptHints {
  std::string where;               // the file, for messages
  std::string_view chat_template;  // the Jinja text; empty: the checkpoint has none
  // Whether a text is one token of the vocabulary; may be absent.
  std::function<bool(std::string_view)> has_token = {};
  std::string_view model_type = {};  // what the config says
  std::string_view encoder = {};     // the text of the encoder that came with it; often empty
};

// The chat template inside tokenizer_config.json or GGUF metadata ("" where there is none); of
// several named ones the default.
std::string_view FindChatTemplate(const Metadata& metadata);

// Recognises a published template, or without one the release by its model type and, where several
// share that, by its encoder (without the encoder's text it is the first of them); then checks that
// the tokens are in the vocabulary. Never guesses: nothing known, or a template that fits two rows,
// is an error that names the ways out.
Result<const PromptFormat*> DetectPromptFormat(const PromptHints& hints);

// Whether the vocabulary has the tokens of the format; kUnusable, naming the first missing one.
Status CheckPromptTokens(const PromptFormat& format, const PromptHints& hints);

// Fails where the conversation or the options ask for what the format cannot say; the message names
// the offending message or option.
Result<Prompt> EncodePrompt(const PromptFormat& format, const Conversation& conversation,
                            const EncodeOptions& options);
Result<std::string> Encode(const PromptFormat& format, const Conversation& conversation,
                           const EncodeOptions& options);

// Whether the text opens a think block at its end.
bool EndsInsideThink(std::string_view prompt);

}  // namespace hadal
