// Where the readers of an answer put what they find: joins pieces into events, keeps the count of
// calls, and applies the rules about white space and about text after calls.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/answer_parser.h"
#include "text/json_value_scanner.h"

namespace hadal {

enum class TrimReasoning : unsigned char { kNot, kEnd, kBothEnds };

// How a syntax treats the text around its blocks (a part of its row in answer_parser.cc).
struct TextRules {
  TrimReasoning trim_reasoning = TrimReasoning::kNot;
  bool trims_content_after_think = false;  // white space after </think> belongs to the block
  bool drops_text_after_call = false;      // nothing but further calls counts after a call
  bool drops_space_with_calls = false;     // white space alone goes with calls that are left out
};

class AnswerSink {
 public:
  AnswerSink(const TextRules& rules, const AnswerOptions& options)
      : rules_(rules),
        extracts_reasoning_(options.extract_reasoning),
        drops_calls_(options.tool_calls == ToolCalls::kDrop),
        in_reasoning_(options.thinking) {}

  bool in_reasoning() const { return in_reasoning_; }
  void EnterReasoning() { in_reasoning_ = true; }
  void LeaveReasoning();

  // Text of the part that the answer is in. Malformed text is what looked like a call: it is kept
  // even where text after a call is not.
  void Text(std::string_view text);
  void MalformedText(std::string_view text, std::string_view reason);
  // Content that turns out to be such when the answer ends, whatever came after it.
  void LateContent(std::string_view text) { Emit(AnswerEvent::Kind::kContent, text); }
  // Text that goes on after this point is judged afresh: white space alone may be dropped.
  void EndSegment() { segment_open_ = false; }

  // Ends the reasoning; white space alone before a call is dropped.
  void BeginCall(std::string_view name, std::string_view id);
  void Arguments(char c);
  // `whole`: nothing of the call was cut off.
  void EndCall(bool whole = true);
  bool call_open() const { return call_open_; }
  // AnswerParser::has_answer, without what is held back.
  bool spoke() const { return spoke_ || (after_call_ && rules_.drops_text_after_call); }

  void Problem(std::string_view reason);
  // The answer is over: gives out or drops held white space.
  void Finish();

  std::vector<AnswerEvent> Take() { return std::exchange(events_, {}); }

 private:
  void Reasoning(char c);
  void Content(char c);
  void Emit(AnswerEvent::Kind kind, std::string_view text);

  const TextRules rules_;
  const bool extracts_reasoning_, drops_calls_;
  bool in_reasoning_;
  bool reasoning_started_ = false;
  bool trims_content_ = false;  // still at the white space after </think>
  bool segment_open_ = false;   // content since the last call or mark is more than white space
  bool after_call_ = false, call_open_ = false;
  bool spoke_ = false;  // content that is more than white space, or a call
  int calls_ = 0;
  std::string held_reasoning_, held_content_;  // white space that may yet be dropped
  JsonValueScanner arguments_;
  std::vector<AnswerEvent> events_;
};

}  // namespace hadal
