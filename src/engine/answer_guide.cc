#include "engine/answer_guide.h"

#include <algorithm>

#include "base/check.h"
#include "engine/answer_tools.h"
#include "text/json_value_scanner.h"
#include "text/utf8.h"

namespace hadal {
namespace {

constexpr std::string_view kOpenThink = "<think>";
constexpr std::string_view kCloseThink = "</think>";
// Of max_tokens, what is kept for the answer behind the reasoning: a quarter, at most this.
constexpr std::int64_t kMostKeptTokens = 256;
// Where the end was refused or the reasoning closed by force, so many tokens of white space may
// come before the answer.
constexpr int kMostBlanks = 2;

// A conversation, and the text of its answer has not begun.
bool AnswersWhole(const GenerateRequest& request, const PreparedPrompt& prompt) {
  const auto* chat = std::get_if<Chat>(&request.prompt);
  return chat != nullptr && (!chat->continue_last || prompt.inside_think);
}

// Whether calls, where the model decides to write some, follow a grammar.
bool HoldsCalls(const GenerateRequest& request, const PreparedPrompt& prompt) {
  return prompt.has_tools && (!request.tool_choice.parallel ||
                              std::ranges::any_of(prompt.tools.root().items(), IsStrictTool));
}

Status DeadEnd() {
  return Status(Code::kDeadEnd, "form", "no token of the vocabulary that may follow",
                "a vocabulary that can spell the answer",
                "use a form that this model's tokens can write");
}

}  // namespace

AnswerGuide::AnswerGuide(const PreparedPrompt& prompt, const Setting& setting)
    : tokenizer_(setting.language->tokenizer),
      ends_(prompt.ends),
      max_tokens_(setting.max_tokens),
      words_(static_cast<std::size_t>(setting.vocabulary + 63) / 64) {}

Result<std::unique_ptr<AnswerGuide>> AnswerGuide::Make(const GenerateRequest& request,
                                                       const PreparedPrompt& prompt,
                                                       const Setting& setting) {
  const bool wishes = request.form != AnswerForm::kFree || request.reasoning_tokens != -1 ||
                      (request.must_answer && AnswersWhole(request, prompt)) ||
                      request.tool_choice.kind != ToolChoice::Kind::kAuto ||
                      HoldsCalls(request, prompt) || !prompt.owed.bytes.empty();
  if (request.reasoning_tokens < -1)
    return UsageError("reasoning_tokens", std::to_string(request.reasoning_tokens),
                      "-1 (no bound) or a count", "leave it out for no bound");
  if (!wishes) return std::unique_ptr<AnswerGuide>();
  if (setting.language->tokenizer == nullptr) return setting.language->no_tokenizer;
  std::unique_ptr<AnswerGuide> guide(new AnswerGuide(prompt, setting));
  HADAL_RETURN_IF_ERROR(guide->SetUp(request, prompt, setting));
  return guide;
}

Status AnswerGuide::Start(const AnswerGrammar& answer, const Setting& setting) {
  const auto trie = setting.grammars->Trie(*tokenizer_, setting.vocabulary);
  HADAL_ASSIGN_OR_RETURN(auto grammar, setting.grammars->Get(answer, *trie));
  matcher_ = std::make_unique<GrammarMatcher>(std::move(grammar), trie);
  return {};
}

Status AnswerGuide::SetUp(const GenerateRequest& request, const PreparedPrompt& prompt,
                          const Setting& setting) {
  using Kind = ToolChoice::Kind;
  const Kind kind = request.tool_choice.kind;
  const bool forced = kind == Kind::kRequired || kind == Kind::kNamed;
  AnswerGrammar answer;
  answer.syntax = prompt.syntax;
  answer.parallel = request.tool_choice.parallel;
  answer.after_reasoning = prompt.inside_think || prompt.may_think;
  answer.json = request.form != AnswerForm::kFree && !forced;
  if (request.form == AnswerForm::kSchema && answer.json) {
    answer.schema = request.schema;
    if (answer.schema.empty())
      return UsageError("schema#", "an empty text", "JSON Schema", "ask for the form JSON instead");
  }
  const bool may_call = prompt.has_tools && HasCalls(prompt.syntax) && kind != Kind::kNone &&
                        (answer.json || HoldsCalls(request, prompt));
  if (forced || may_call) {
    HADAL_ASSIGN_OR_RETURN(answer.tools, CallableTools(request.tool_choice, prompt, forced));
  }
  if (answer.json || forced) {
    HADAL_RETURN_IF_ERROR(Start(answer, setting));
    content_ = Phase::kGrammar;
  } else if (may_call && !CallOpener(prompt.syntax).empty()) {
    answer.behind_opener = true;
    answer.after_reasoning = false;
    HADAL_RETURN_IF_ERROR(Start(answer, setting));
    opener_ = CallOpener(prompt.syntax);
  }
  if (kind == Kind::kNone && prompt.has_tools) {
    opener_ = CallOpener(prompt.syntax);
    forbids_calls_ = true;
  }
  if (content_ == Phase::kGrammar && !prompt.begun.empty() && !prompt.inside_think &&
      !matcher_->AcceptBytes(prompt.begun))
    return UsageError("form", "an answer that begins with other text",
                      "a beginning that the form allows", "correct the last message, or the form");
  phase_ = content_;
  if (prompt.may_think) {
    think_token_ = tokenizer_->TokenToId(kOpenThink).value_or(-1);
    phase_ = Phase::kStart;
  }
  if (prompt.inside_think) phase_ = Phase::kReasoning;
  HADAL_RETURN_IF_ERROR(SetBudget(request, prompt, setting));
  // A call that nobody asked for would be left out, and with it the answer.
  if (wants_answer_ && !prompt.has_tools && LeavesCallsOut(prompt.syntax)) {
    opener_ = CallOpener(prompt.syntax);
    forbids_calls_ = true;
  }
  if (!prompt.owed.bytes.empty()) {
    owed_ = prompt.owed.bytes;
    half_ = owed_.substr(owed_.size() - prompt.owed.half_bytes);
    trie_ = setting.grammars->Trie(*tokenizer_, setting.vocabulary);
    after_owing_ = std::exchange(phase_, Phase::kOwing);
  }
  return Settle();
}

Status AnswerGuide::SetBudget(const GenerateRequest& request, const PreparedPrompt& prompt,
                              const Setting& setting) {
  reasoning_budget_ = request.reasoning_tokens;
  const bool bounded = reasoning_budget_ >= 0;
  wants_answer_ = (bounded || request.must_answer) && AnswersWhole(request, prompt);
  if (!wants_answer_ && !bounded) return {};
  HADAL_ASSIGN_OR_RETURN(closing_,
                         setting.language->tokenizer->Encode(kCloseThink, AddedTokenUse::kAll));
  if (phase_ == Phase::kReasoning && NeedsEnd()) phase_ = Phase::kClosing;
  return {};
}

bool AnswerGuide::IsEnd(std::int32_t token) const {
  return std::ranges::find(ends_, token) != ends_.end();
}

bool AnswerGuide::IsBlank(std::int32_t token) const {
  return std::ranges::all_of(tokenizer_->TokenBytes(token), IsJsonSpace);
}

// Whether the bytes complete the tag that the tail may have begun; `rest` is what follows it.
bool AnswerGuide::TagWith(std::string_view bytes, std::string_view tag,
                          std::string_view* rest) const {
  const std::string text = tail_ + std::string(bytes);
  const std::size_t at = text.find(tag);
  if (at == std::string::npos) return false;
  *rest = bytes.substr(bytes.size() - (text.size() - at - tag.size()));
  return true;
}

void AnswerGuide::Watch(std::string_view bytes, std::size_t tag_bytes) {
  tail_ += bytes;
  if (tail_.size() >= tag_bytes) tail_.erase(0, tail_.size() - tag_bytes + 1);
}

// The reasoning has used what it may, or what is left is the answer's, or the model would end.
bool AnswerGuide::NeedsEnd() const {
  if (closing_.empty()) return false;
  const std::int64_t kept = std::clamp<std::int64_t>(max_tokens_ / 4, 1, kMostKeptTokens);
  const std::int64_t left = max_tokens_ - generated_ - std::ssize(closing_);
  return (reasoning_budget_ >= 0 && reasoned_ >= reasoning_budget_) || left <= kept || wants_close_;
}

void AnswerGuide::EnterContent() {
  phase_ = content_;
  tail_.clear();
}

// Whether text may come next in a phase, as far as the mask does not say it.
bool AnswerGuide::AdmitsText(Phase phase, std::string_view bytes) {
  std::string_view rest;
  if (phase == Phase::kGrammar) return matcher_->Fits(bytes);
  if (phase == Phase::kReasoning)
    return content_ != Phase::kGrammar || !TagWith(bytes, kCloseThink, &rest) ||
           matcher_->Fits(rest);
  if (opener_.empty() || !TagWith(bytes, opener_, &rest)) return true;
  return !forbids_calls_ && matcher_->Fits(rest);
}

bool AnswerGuide::AdmitsOwing(std::int32_t token) {
  const std::string_view bytes = tokenizer_->TokenBytes(token);
  if (bytes.size() <= owed_.size()) return true;
  const std::string_view rest = bytes.substr(owed_.size());
  if (after_owing_ == Phase::kClosing) return false;
  if (!half_.empty() && NextUtf8Part(half_ + std::string(rest), 0).kind == Utf8Part::kInvalid)
    return false;
  return AdmitsText(after_owing_, rest);
}

bool AnswerGuide::Admits(std::int32_t token) {
  if (phase_ == Phase::kOwing) return AdmitsOwing(token);
  const bool end = IsEnd(token);
  if (end && phase_ == Phase::kReasoning) {
    wants_close_ = !closing_.empty();
    return !wants_close_ && content_ != Phase::kGrammar;
  }
  if (end && wants_answer_) {
    limits_blanks_ = true;
    return false;
  }
  if (wants_answer_ && limits_blanks_ && IsFree() && blanks_ >= kMostBlanks && IsBlank(token))
    return false;
  if (phase_ == Phase::kReasoning) return AdmitsText(phase_, tokenizer_->TokenBytes(token));
  if (phase_ == Phase::kStart && token == think_token_ && reasoning_budget_ == 0) return false;
  return !IsFree() || end || AdmitsText(Phase::kFree, tokenizer_->TokenBytes(token));
}

// Lets the tokens through that give back what is owed, with more behind it or in part.
void AnswerGuide::RestrictOwing() {
  mask_.assign(words_, 0);
  if (!owed_.empty()) return trie_->AllowAlong(owed_, mask_);
  for (int byte = 0x80; byte < 0xC0; ++byte)  // what goes on with a character
    trie_->AllowAlong(std::string(1, static_cast<char>(byte)), mask_);
}

// Lets the grammar's tokens through, and the ends where it may end.
void AnswerGuide::Restrict() {
  if (matcher_->CanEnd() && !wants_answer_)
    for (const std::int32_t end : ends_)
      if (static_cast<std::size_t>(end) / 64 < words_) AllowToken(end, mask_);
  if (phase_ == Phase::kStart && think_token_ >= 0) AllowToken(think_token_, mask_);
}

Status AnswerGuide::Prepare() {
  mask_.clear();
  if (phase_ == Phase::kOwing) {
    RestrictOwing();
    return {};
  }
  if (phase_ == Phase::kClosing) {
    mask_.assign(words_, 0);
    AllowToken(closing_[closed_], mask_);
    return {};
  }
  const bool grammar =
      phase_ == Phase::kGrammar || (phase_ == Phase::kStart && content_ == Phase::kGrammar);
  if (!grammar) return {};
  HADAL_ASSIGN_OR_RETURN(const auto allowed, matcher_->Mask());
  mask_.assign(allowed.begin(), allowed.end());
  Restrict();
  const bool none = std::ranges::all_of(mask_, [](std::uint64_t word) { return word == 0; });
  return none ? DeadEnd() : Status();
}

// What is owed first, then what the answer has of the token.
Status AnswerGuide::GiveBack(std::int32_t token) {
  const std::string_view bytes = tokenizer_->TokenBytes(token);
  const std::size_t given = std::min(bytes.size(), owed_.size());
  const std::string_view rest = bytes.substr(given);
  owed_.erase(0, given);
  gave_back_ = rest.empty();
  phase_ = after_owing_;
  if (!rest.empty()) {
    if (!half_.empty()) half_ += rest;
    if (!half_.empty() && NextUtf8Part(half_, 0).kind != Utf8Part::kUnfinished) half_.clear();
    ++generated_;
    HADAL_RETURN_IF_ERROR(Move(-1, rest));
  }
  if (owed_.empty() && half_.empty()) {
    trie_ = nullptr;
    return {};
  }
  after_owing_ = std::exchange(phase_, Phase::kOwing);
  return {};
}

// `bytes` are those of the token; without a token, they are what the answer has of one.
Status AnswerGuide::Move(std::int32_t token, std::string_view bytes) {
  std::string_view rest;
  switch (phase_) {
    case Phase::kOwing:
      return GiveBack(token);
    case Phase::kStart:
      if (token == think_token_) {
        phase_ = Phase::kReasoning;
        return {};
      }
      // White space may stand before the tag.
      if (content_ == Phase::kFree && IsBlank(token)) return {};
      EnterContent();
      return Move(token, bytes);
    case Phase::kReasoning: {
      ++reasoned_;
      const bool closes = TagWith(bytes, kCloseThink, &rest);
      Watch(bytes, kCloseThink.size());
      if (closes) EnterContent();
      if (closes && phase_ == Phase::kGrammar && !matcher_->AcceptBytes(rest)) return DeadEnd();
      if (phase_ == Phase::kReasoning && NeedsEnd()) phase_ = Phase::kClosing;
      return {};
    }
    case Phase::kClosing:
      if (++closed_ < closing_.size()) return {};
      closed_ = 0;
      limits_blanks_ = wants_answer_ = true;
      wants_close_ = false;
      EnterContent();
      return {};
    case Phase::kFree: {
      if (opener_.empty()) return {};
      const bool opens = TagWith(bytes, opener_, &rest);
      Watch(bytes, opener_.size());
      if (!opens || forbids_calls_) return {};
      phase_ = Phase::kGrammar;
      return matcher_->AcceptBytes(rest) ? Status() : DeadEnd();
    }
    case Phase::kGrammar:
      wants_answer_ = false;  // what the grammar makes is not empty
      return (token < 0 ? matcher_->AcceptBytes(bytes) : matcher_->Accept(token)) ? Status()
                                                                                  : DeadEnd();
  }
  return {};
}

// Whether the answer is whole and cannot go on; an end token need not be computed for that.
Status AnswerGuide::Settle() {
  if (phase_ != Phase::kGrammar || !matcher_->CanEnd()) return {};
  complete_ = matcher_->MustEnd();
  if (complete_ || !ends_.empty()) return {};
  HADAL_ASSIGN_OR_RETURN(const auto allowed, matcher_->Mask());
  complete_ = std::ranges::all_of(allowed, [](std::uint64_t word) { return word == 0; });
  return {};
}

void AnswerGuide::EndReasoning() {
  wants_close_ = !closing_.empty();
  if (phase_ == Phase::kReasoning && NeedsEnd()) phase_ = Phase::kClosing;
}

// The reader knows of calls within reasoning, and of think blocks that are opened once more.
void AnswerGuide::Follow(bool has_answer, bool in_reasoning) {
  if (has_answer) wants_answer_ = false;
  if (content_ != Phase::kFree) return;
  if (phase_ == Phase::kReasoning && !in_reasoning) EnterContent();
  if (phase_ == Phase::kFree && in_reasoning && wants_answer_) phase_ = Phase::kReasoning;
}

Status AnswerGuide::Accept(std::int32_t token) {
  if (phase_ != Phase::kOwing) {
    ++generated_;
    if (IsEnd(token)) return {};
    if (limits_blanks_ && IsFree() && IsBlank(token)) ++blanks_;
  }
  HADAL_RETURN_IF_ERROR(Move(token, tokenizer_->TokenBytes(token)));
  return Settle();
}

}  // namespace hadal
