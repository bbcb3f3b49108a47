#include "text/answer_sink.h"

namespace hadal {
namespace {

// A longer run of white space is text like any other; what is held back stays bounded.
constexpr std::size_t kMostHeldBytes = 256;

}  // namespace

void AnswerSink::Emit(AnswerEvent::Kind kind, std::string_view text) {
  if (text.empty()) return;
  const int call = kind == AnswerEvent::Kind::kCallArguments ? calls_ - 1 : -1;
  if (events_.empty() || events_.back().kind != kind || events_.back().call != call)
    events_.push_back({.kind = kind, .call = call});
  events_.back().text += text;
}

void AnswerSink::Text(std::string_view text) {
  for (const char c : text) in_reasoning_&& extracts_reasoning_ ? Reasoning(c) : Content(c);
}

void AnswerSink::Reasoning(char c) {
  if (IsJsonSpace(c) && rules_.trim_reasoning != TrimReasoning::kNot) {
    if (rules_.trim_reasoning == TrimReasoning::kBothEnds && !reasoning_started_) return;
    held_reasoning_ += c;
    if (held_reasoning_.size() <= kMostHeldBytes) return;
  } else {
    held_reasoning_ += c;
  }
  reasoning_started_ = true;
  Emit(AnswerEvent::Kind::kReasoning, held_reasoning_);
  held_reasoning_.clear();
}

void AnswerSink::LeaveReasoning() {
  if (!in_reasoning_) return;
  in_reasoning_ = false;
  held_reasoning_.clear();
  trims_content_ = rules_.trims_content_after_think && extracts_reasoning_;
}

void AnswerSink::Content(char c) {
  if (after_call_ && rules_.drops_text_after_call) return;
  if (trims_content_ && IsJsonSpace(c)) return;
  trims_content_ = false;
  held_content_ += c;
  if (!IsJsonSpace(c)) spoke_ = true;
  if (!segment_open_ && IsJsonSpace(c) && held_content_.size() <= kMostHeldBytes) return;
  segment_open_ = true;
  Emit(AnswerEvent::Kind::kContent, held_content_);
  held_content_.clear();
}

void AnswerSink::MalformedText(std::string_view text, std::string_view reason) {
  const bool after_call = std::exchange(after_call_, false);
  Text(text);
  after_call_ = after_call;
  if (!reason.empty()) Problem(reason);
}

void AnswerSink::BeginCall(std::string_view name, std::string_view id) {
  LeaveReasoning();
  trims_content_ = false;
  after_call_ = call_open_ = true;
  arguments_ = {};
  if (drops_calls_ && !rules_.drops_space_with_calls) return;
  held_content_.clear();
  if (drops_calls_) return;
  segment_open_ = false;
  spoke_ = true;
  events_.push_back({.kind = AnswerEvent::Kind::kCallBegin,
                     .call = calls_++,
                     .text = std::string(name),
                     .id = std::string(id)});
}

void AnswerSink::Arguments(char c) {
  arguments_.Push(c);
  if (!drops_calls_) Emit(AnswerEvent::Kind::kCallArguments, std::string_view(&c, 1));
}

void AnswerSink::EndCall(bool whole) {
  call_open_ = false;
  if (drops_calls_) return;
  events_.push_back({.kind = AnswerEvent::Kind::kCallEnd,
                     .call = calls_ - 1,
                     .complete = whole && arguments_.closed()});
}

void AnswerSink::Problem(std::string_view reason) {
  events_.push_back({.kind = AnswerEvent::Kind::kProblem, .text = std::string(reason)});
}

void AnswerSink::Finish() {
  if (call_open_) EndCall();
  if (calls_ == 0) Emit(AnswerEvent::Kind::kContent, held_content_);
  held_content_.clear();
  held_reasoning_.clear();
}

}  // namespace hadal
