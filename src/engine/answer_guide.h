// AnswerGuide: keeps an answer to what its request wishes: a form, calls of tools, a bound on
// reasoning (docs/structured-output.md), or what was taken back of its prompt (token_healing.h).
//
// An answer goes through phases: what it owes of the prompt, reasoning, its closing tag where that
// is forced, then free text or a grammar. Only chosen tokens move the guide on, so that guesses of
// a draft change nothing. In free text it waits for the mark that opens calls, where those follow a
// grammar or are forbidden.
//
// Belongs to one answer and one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/language.h"
#include "engine/prompt.h"
#include "hadal/generate.h"
#include "sample/answer_grammar.h"
#include "sample/grammar_matcher.h"
#include "sample/token_filter.h"

namespace hadal {

class AnswerGuide : public TokenFilter {
 public:
  struct Setting {
    const Language* language = nullptr;
    std::int64_t vocabulary = 0;
    std::int64_t max_tokens = 0;  // that the answer may have
    GrammarStore* grammars = nullptr;
  };
  // Null where the request wishes nothing of the kind. kUsage where a wish makes no sense, names no
  // tool of the request, or has a schema that is not understood; kUnsupported where the model's
  // format knows no calls.
  static Result<std::unique_ptr<AnswerGuide>> Make(const GenerateRequest& request,
                                                   const PreparedPrompt& prompt,
                                                   const Setting& setting);

  // Before each choice: what may be chosen. Fails with kDeadEnd where nothing can.
  Status Prepare();
  std::span<const std::uint64_t> mask() const override { return mask_; }
  bool Admits(std::int32_t token) override;

  // After it.
  Status Accept(std::int32_t token);
  // Then, where the answer goes on, what its reader says: whether it holds text or a call by now,
  // and whether what comes next is reasoning.
  void Follow(bool has_answer, bool in_reasoning);
  // Closes the reasoning now, or as soon as it begins; where its end may be forced at all.
  void EndReasoning();
  // The bytes of the next token that are no part of the answer; and whether the token that was
  // accepted last had no others.
  std::size_t owed_bytes() const { return owed_.size(); }
  bool gave_back() const { return gave_back_; }
  // Nothing may follow: the answer is whole.
  bool complete() const { return complete_; }
  // Nothing is left to keep the answer to: neither Prepare nor Accept need be called any more.
  bool idle() const { return phase_ == Phase::kFree && !wants_answer_ && opener_.empty(); }

 private:
  enum class Phase : unsigned char {
    kOwing,  // bytes of the prompt, and the rest of a character that it has begun
    kStart,  // a think block may begin
    kReasoning,
    kClosing,  // its end is forced
    kFree,
    kGrammar,
  };

  AnswerGuide(const PreparedPrompt& prompt, const Setting& setting);
  Status SetUp(const GenerateRequest& request, const PreparedPrompt& prompt,
               const Setting& setting);
  Status SetCalls(const GenerateRequest& request, const PreparedPrompt& prompt,
                  const Setting& setting);
  Status SetBudget(const GenerateRequest& request, const PreparedPrompt& prompt,
                   const Setting& setting);
  Status Start(const AnswerGrammar& answer, const Setting& setting);

  bool IsEnd(std::int32_t token) const;
  bool IsBlank(std::int32_t token) const;
  bool TagWith(std::string_view bytes, std::string_view tag, std::string_view* rest) const;
  void Watch(std::string_view bytes, std::size_t tag_bytes);
  bool NeedsEnd() const;
  bool IsFree() const {
    return phase_ == Phase::kFree || (phase_ == Phase::kStart && content_ == Phase::kFree);
  }
  void EnterContent();
  Status Move(std::int32_t token, std::string_view bytes);
  Status GiveBack(std::int32_t token);
  void RestrictOwing();
  bool AdmitsOwing(std::int32_t token);
  bool AdmitsText(Phase phase, std::string_view bytes);
  void Restrict();
  Status Settle();

  std::shared_ptr<const Tokenizer> tokenizer_;
  const std::vector<std::int32_t> ends_;
  const std::int64_t max_tokens_;
  const std::size_t words_;  // of a mask
  Phase phase_ = Phase::kFree;
  Phase content_ = Phase::kFree;  // what follows the reasoning

  Phase after_owing_ = Phase::kFree;
  std::string owed_;  // what is left of it
  std::string half_;  // the character that the bytes owed end in, as far as it is there
  std::shared_ptr<const TokenTrie> trie_;  // only while something is owed
  bool gave_back_ = false;

  std::unique_ptr<GrammarMatcher> matcher_;  // of the whole answer, or of calls once they begin
  std::string opener_;                       // of calls, where it is watched
  bool forbids_calls_ = false;
  std::int32_t think_token_ = -1;  // that may begin a think block

  std::int64_t reasoning_budget_ = -1, reasoned_ = 0, generated_ = 0;
  std::vector<std::int32_t> closing_;  // tokens that end the reasoning
  std::size_t closed_ = 0;
  bool wants_answer_ = false;   // no end before text or a call
  bool wants_close_ = false;    // the model would have ended in its reasoning
  bool limits_blanks_ = false;  // its reasoning was closed by force, or its end refused
  int blanks_ = 0;              // tokens of white space behind that

  std::string tail_;  // the last bytes, in which a tag may have begun
  TokenMask mask_;    // empty: all
  bool complete_ = false;
};

}  // namespace hadal
