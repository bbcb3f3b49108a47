#include "engine/prompt.h"

#include "base/json.h"
#include "base/utf8.h"
#include "text/fill_in.h"
#include "text/utf8.h"

namespace hadal {
namespace {

Think ThinkOf(ThinkMode mode) {
  switch (mode) {
    case ThinkMode::kOff:
      return Think::kOff;
    case ThinkMode::kOn:
      return Think::kOn;
    case ThinkMode::kMax:
      return Think::kMax;
    case ThinkMode::kDefault:
      break;
  }
  return Think::kDefault;
}

// The bytes of a character that is not whole, at the end of a text that is UTF-8 before it.
std::size_t HalfCharacterBytes(std::string_view text) {
  const std::size_t whole = ValidUtf8Prefix(text);
  if (whole == text.size()) return 0;
  return NextUtf8Part(text, whole).kind == Utf8Part::kUnfinished ? text.size() - whole : 0;
}

// What the answer to a conversation goes on with; empty where it begins by itself.
std::string_view OpenText(const Chat& chat) {
  if (!chat.continue_last || chat.messages.empty()) return {};
  const ChatMessage& last = chat.messages.back();
  return last.text.empty() ? last.reasoning : last.text;
}

bool IsText(std::string_view text, std::string_view open) {
  if (!open.empty() && text.data() == open.data()) text.remove_suffix(HalfCharacterBytes(text));
  return IsUtf8(text);
}

Message MessageOf(const ChatMessage& from) {
  Message message;
  message.role = from.role;
  message.name = from.name;
  message.content.given = !from.text.empty() || from.tool_calls.empty();
  if (message.content.given) message.content.parts = {from.text};
  message.has_reasoning = !from.reasoning.empty();
  message.reasoning = from.reasoning;
  message.tool_call_id = from.tool_call_id;
  for (const ChatToolCall& call : from.tool_calls) {
    ToolCall& to = message.tool_calls.emplace_back();
    to.id = call.id;
    to.name = call.name;
    to.arguments = Metadata(std::string_view(call.arguments));  // the request outlives its encoding
  }
  return message;
}

// The ids of a prompt. Where a text of the conversation spells a special token, it is tokenised
// apart, as plain text; everywhere else the whole is tokenised as one, as the vendors do.
Result<std::vector<std::int32_t>> TokenizePrompt(const Prompt& prompt, const Tokenizer& tokenizer) {
  const std::string_view text = prompt.text;
  std::vector<std::int32_t> ids;
  std::size_t done = 0;
  const auto add = [&](std::size_t end, AddedTokenUse use) -> Status {
    HADAL_ASSIGN_OR_RETURN(const auto part, tokenizer.Encode(text.substr(done, end - done), use));
    ids.insert(ids.end(), part.begin(), part.end());
    done = end;
    return {};
  };
  for (const Prompt::Span& quoted : prompt.quoted) {
    const std::string_view span = text.substr(quoted.begin, quoted.end - quoted.begin);
    HADAL_ASSIGN_OR_RETURN(const auto plain, tokenizer.Encode(span, AddedTokenUse::kNone));
    HADAL_ASSIGN_OR_RETURN(const auto matched, tokenizer.Encode(span, AddedTokenUse::kAll));
    if (plain == matched) continue;
    HADAL_RETURN_IF_ERROR(add(quoted.begin, AddedTokenUse::kAll));
    HADAL_RETURN_IF_ERROR(add(quoted.end, AddedTokenUse::kNone));
  }
  HADAL_RETURN_IF_ERROR(add(text.size(), AddedTokenUse::kAll));
  return ids;
}

// Where the prompt ends with that text (reasoning may be left out of it): what of it no token can
// hold is cut off.
PreparedPrompt::OpenEnd CutOpenEnd(std::string_view open, Prompt* prompt) {
  if (open.empty() || prompt->quoted.empty() || !prompt->text.ends_with(open) ||
      prompt->quoted.back().end != prompt->text.size())
    return {};
  const std::size_t half = HalfCharacterBytes(open);
  prompt->text.resize(prompt->text.size() - half);
  prompt->quoted.back().end -= half;
  return {.text = std::string(open), .half_bytes = half};
}

Result<PreparedPrompt> PrepareChat(const Chat& chat, const Language& language) {
  if (language.format == nullptr) return language.no_format;
  PreparedPrompt prepared;
  Conversation conversation;
  const std::string_view open = OpenText(chat);
  for (const ChatMessage& message : chat.messages) {
    if (!IsText(message.text, open) || !IsText(message.reasoning, open))
      return UsageError("message of the role " + message.role, "bytes that are not UTF-8", "text",
                        "convert the text to UTF-8");
    conversation.messages.push_back(MessageOf(message));
  }
  if (!chat.tools.empty()) {
    HADAL_ASSIGN_OR_RETURN(prepared.tools, ParseJson(chat.tools, "tools"));
    if (!prepared.tools.root().is_array())
      return UsageError("tools", prepared.tools.root().Describe(), "an array of definitions",
                        "pass a JSON array, such as [{\"type\": \"function\", ...}]");
    for (const Metadata& tool : prepared.tools.root().items()) conversation.tools.push_back(tool);
    prepared.has_tools = !conversation.tools.empty();
  }
  EncodeOptions options;
  options.think = ThinkOf(chat.think);
  options.effort = chat.effort;
  options.tools_in_system = true;
  options.continue_last = chat.continue_last;
  HADAL_ASSIGN_OR_RETURN(Prompt prompt, EncodePrompt(*language.format, conversation, options));
  prepared.open = CutOpenEnd(open, &prompt);
  HADAL_ASSIGN_OR_RETURN(prepared.ids, TokenizePrompt(prompt, *language.tokenizer));
  prepared.open.ids_end = prepared.ids.size();
  prepared.ends = language.chat_ends;
  prepared.syntax = language.format->answer;
  prepared.inside_think = prompt.inside_think;
  prepared.may_think =
      !prompt.inside_think && !chat.continue_last && prepared.syntax == AnswerSyntax::kHermes &&
      language.format->thinking == Thinking::kUsually && options.think != Think::kOff;
  if (chat.continue_last && !chat.messages.empty()) prepared.begun = chat.messages.back().text;
  return prepared;
}

Result<PreparedPrompt> PrepareText(const RawText& raw, const Language& language) {
  PreparedPrompt prepared;
  std::string_view text = raw.text;
  if (raw.heal) {
    prepared.open = {.text = raw.text, .half_bytes = HalfCharacterBytes(text)};
    text.remove_suffix(prepared.open.half_bytes);
  }
  HADAL_ASSIGN_OR_RETURN(prepared.ids, language.tokenizer->Encode(text, AddedTokenUse::kAll));
  const auto bos = language.tokenizer->bos();
  if (language.tokenizer->add_bos() && bos && (prepared.ids.empty() || prepared.ids[0] != *bos))
    prepared.ids.insert(prepared.ids.begin(), *bos);
  prepared.open.ids_end = prepared.ids.size();
  prepared.ends = language.ends;
  return prepared;
}

Result<PreparedPrompt> PrepareFillIn(const FillIn& fill, const Language& language) {
  PreparedPrompt prepared;
  std::string_view before = fill.before;
  prepared.open = {.text = fill.before, .half_bytes = HalfCharacterBytes(before)};
  before.remove_suffix(prepared.open.half_bytes);
  HADAL_ASSIGN_OR_RETURN(FillInPrompt prompt,
                         EncodeFillIn(*language.tokenizer, before, fill.after));
  prepared.open.ids_end = prompt.before_end;
  prepared.ids = std::move(prompt.ids);
  prepared.ends = language.ends;
  prepared.ends.insert(prepared.ends.end(), prompt.ends.begin(), prompt.ends.end());
  return prepared;
}

}  // namespace

Result<PreparedPrompt> PreparePrompt(const GenerateRequest& request, const Language& language,
                                     std::int64_t vocabulary) {
  PreparedPrompt prepared;
  if (const auto* given = std::get_if<TokenIds>(&request.prompt)) {
    prepared.ids = given->ids;
    prepared.ends = language.ends;
  } else if (language.tokenizer == nullptr) {
    return language.no_tokenizer;
  } else if (const auto* raw = std::get_if<RawText>(&request.prompt)) {
    HADAL_ASSIGN_OR_RETURN(prepared, PrepareText(*raw, language));
  } else if (const auto* fill = std::get_if<FillIn>(&request.prompt)) {
    HADAL_ASSIGN_OR_RETURN(prepared, PrepareFillIn(*fill, language));
  } else {
    HADAL_ASSIGN_OR_RETURN(prepared, PrepareChat(std::get<Chat>(request.prompt), language));
  }
  if (prepared.ids.empty())
    return UsageError("prompt", "no token", "at least one token", "the prompt is empty");
  for (const std::int32_t id : prepared.ids)
    if (id < 0 || id >= vocabulary)
      return UsageError("prompt", "token id " + std::to_string(id),
                        "ids below the vocabulary of " + std::to_string(vocabulary),
                        "were the ids made with another model's tokenizer?");
  prepared.drops_calls = request.tool_choice.kind == ToolChoice::Kind::kNone;
  if (request.ignore_end) prepared.ends.clear();
  prepared.ends.insert(prepared.ends.end(), request.stop_tokens.begin(), request.stop_tokens.end());
  return prepared;
}

}  // namespace hadal
