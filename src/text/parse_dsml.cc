// Tool calls of V3.2, V4 and V4.1, in DSML (dsml.h). A call is given out when it is whole: only
// then is it known what its parameters mean together. The releases' own decoders take well-formed
// answers only; what is done with others is in docs/answer-parsing.md.
#include "text/call_reader.h"
#include "text/dsml_arguments.h"
#include "text/dsml_tags.h"

namespace hadal {
namespace {

enum Mark : int { kCalls, kCallsEnd, kCall, kCallEnd, kParameter, kParameterEnd, kOtherCalls };

// "<" and "</" with the token and the name of a tag. Tags that hold attributes end at the name.
#define DSML "\uFF5CDSML\uFF5C"
constexpr std::string_view kMarksV32[] = {"<" DSML "function_calls>", "</" DSML "function_calls>",
                                          "<" DSML "invoke",          "</" DSML "invoke>",
                                          "<" DSML "parameter",       "</" DSML "parameter>"};
// Two ways in which models have been seen to misspell V4's first tag.
constexpr std::string_view kMarksV4[] = {
    "<" DSML "tool_calls>", "</" DSML "tool_calls>", "<" DSML "invoke",     "</" DSML "invoke>",
    "<" DSML "parameter",   "</" DSML "parameter>",  "<" DSML "toolcalls>", "<" DSML "tool>"};
constexpr std::string_view kMarksV41[] = {"<" DSML " calls>",    "</" DSML " calls>",
                                          "<" DSML " invoke",    "</" DSML " invoke>",
                                          "<" DSML " parameter", "</" DSML " parameter>"};
#undef DSML

struct Rules {
  std::span<const std::string_view> marks;
  bool block_is_certain = false;        // V4, V4.1: a block that no call follows is left out
  bool open_call_spoils_block = false;  // V4: a block that ends inside of a call is text
};

// Longer attributes are none.
constexpr std::size_t kMostHeadBytes = 2 * kMostNameBytes;

class DsmlReader final : public MarkedCallReader {
 public:
  DsmlReader(AnswerSink* sink, const AnswerOptions& options, const Rules& rules)
      : MarkedCallReader(sink, rules.marks),
        rules_(rules),
        tools_(options.tools),
        keeps_blank_(options.tool_calls == ToolCalls::kDrop && !rules.block_is_certain) {}

  bool busy() const override { return state_ != State::kText; }
  bool ends_in_call() const override {
    return state_ == State::kCall || state_ == State::kParameterHead || state_ == State::kValue;
  }

 private:
  enum class State : unsigned char { kText, kBlock, kCallHead, kCall, kParameterHead, kValue };

  void OnByte(char c) override;
  void OnMarker(int marker) override;
  void OnFinish(std::string_view partial) override;

  void TextByte(char c);
  void ReleaseSpace(std::size_t keep);
  void BlockByte(char c);
  void HeadByte(char c);
  void BeginBlock(int marker);
  void EndBlock();
  void StartHead(State state);
  void EndHead();
  void EndCall(bool whole);
  void Malformed(std::string_view reason);
  void NotCalls();
  void CallMarker(int marker);

  const Rules rules_;
  const Metadata* tools_;
  const bool keeps_blank_;  // V3.2: a block that is left out leaves its blank line
  State state_ = State::kText;
  std::string space_;   // white space at the end of the text so far
  std::string blank_;   // the blank line before the first block
  bool spoke_ = false;  // there is content that is not white space
  bool called_ = false, left_out_ = false;
  std::string raw_;  // what may yet be text, as written
  std::string head_, name_;
  std::vector<dsml::Parameter> parameters_;
};

void DsmlReader::ReleaseSpace(std::size_t keep) {
  sink_->Text(std::string_view(space_).substr(0, space_.size() - keep));
  space_.erase(0, space_.size() - keep);
}

void DsmlReader::TextByte(char c) {
  if (IsJsonSpace(c) && space_.size() < kMostNameBytes) {
    space_ += c;
    return;
  }
  ReleaseSpace(0);
  if (!sink_->in_reasoning() && !IsJsonSpace(c)) spoke_ = true;
  sink_->Text(std::string_view(&c, 1));
}

// The blank line before a block belongs to it. A block inside of reasoning ends it, and the white
// space before goes.
void DsmlReader::BeginBlock(int marker) {
  if (sink_->in_reasoning()) {
    space_.clear();
    sink_->LeaveReasoning();
  }
  ReleaseSpace(space_.ends_with("\n\n") && !keeps_blank_ ? 2 : 0);
  if (!called_ && spoke_) blank_ = space_;
  raw_ = std::exchange(space_, {}) + std::string(Marker(marker));
  left_out_ = false;
  state_ = State::kBlock;
}

void DsmlReader::EndBlock() {
  blank_.clear();
  raw_.clear();
  state_ = State::kText;
}

// No call follows where one should: all of it is text.
void DsmlReader::NotCalls() {
  state_ = State::kText;
  blank_.clear();
  sink_->Text(std::exchange(raw_, {}));
}

void DsmlReader::Malformed(std::string_view reason) {
  state_ = State::kText;
  blank_.clear();
  spoke_ = true;
  sink_->MalformedText(std::exchange(raw_, {}), reason);
}

void DsmlReader::BlockByte(char c) {
  raw_ += c;
  if (IsJsonSpace(c)) return;
  if (!rules_.block_is_certain && !called_) return NotCalls();
  if (!std::exchange(left_out_, true)) sink_->Problem("text in a block of calls was left out");
}

void DsmlReader::StartHead(State state) {
  head_.clear();
  state_ = state;
}

void DsmlReader::HeadByte(char c) {
  raw_ += c;
  if (c == '>' && (head_.empty() || head_.back() == '"')) return EndHead();
  head_ += c;
  if (head_.size() > kMostHeadBytes) Malformed("a tag of a call that does not end");
}

void DsmlReader::EndHead() {
  auto head = dsml::ParseTagHead(head_);
  if (!head) return Malformed("a tag of a call without a name");
  if (state_ == State::kCallHead) {
    name_ = std::move(head->name);
    parameters_.clear();
    state_ = State::kCall;
  } else {
    parameters_.push_back({std::move(head->name), head->is_string, {}});
    state_ = State::kValue;
  }
}

// A parameter that is still open goes.
void DsmlReader::EndCall(bool whole) {
  if (state_ == State::kValue) {
    parameters_.pop_back();
    whole = false;
  }
  if (state_ == State::kParameterHead) whole = false;
  sink_->BeginCall(name_, "");
  for (const char c : dsml::ArgumentsJson(parameters_, name_, tools_)) sink_->Arguments(c);
  sink_->EndCall(whole);
  if (!whole) sink_->Problem("a call that was cut off");
  called_ = true;
  raw_.clear();
  state_ = State::kBlock;
}

void DsmlReader::OnByte(char c) {
  switch (state_) {
    case State::kText:
      return TextByte(c);
    case State::kBlock:
      return BlockByte(c);
    case State::kCallHead:
    case State::kParameterHead:
      return HeadByte(c);
    case State::kCall:
      raw_ += c;
      if (!IsJsonSpace(c) && !std::exchange(left_out_, true))
        sink_->Problem("text between the parameters of a call was left out");
      return;
    case State::kValue:
      raw_ += c;
      parameters_.back().value += c;
      return;
  }
}

// Inside of a call, between its tags or in a value.
void DsmlReader::CallMarker(int marker) {
  const bool in_value = state_ == State::kValue;
  switch (marker) {
    case kParameter:
      return StartHead(State::kParameterHead);
    case kParameterEnd:
      state_ = State::kCall;
      return;
    case kCallEnd:
      return EndCall(true);
    case kCall:
      EndCall(true);
      raw_ = Marker(kCall);
      return StartHead(State::kCallHead);
    case kCallsEnd:
      if (rules_.open_call_spoils_block) return Malformed("a block that ends inside of a call");
      EndCall(true);
      return EndBlock();
    default:  // another block begins
      if (in_value) parameters_.back().value += Marker(marker);
  }
}

void DsmlReader::OnMarker(int marker) {
  const bool begins = marker == kCalls || marker >= kOtherCalls;
  switch (state_) {
    case State::kText:
      if (begins) return BeginBlock(marker);
      if (marker == kCall) {
        BeginBlock(marker);
        return StartHead(State::kCallHead);
      }
      for (const char c : Marker(marker)) TextByte(c);
      return;
    case State::kBlock:
      if (TrimSpace(raw_).empty()) raw_.clear();  // between calls
      raw_ += Marker(marker);
      if (marker == kCall) return StartHead(State::kCallHead);
      if (marker == kCallsEnd) EndBlock();
      return;
    case State::kCallHead:
    case State::kParameterHead:
      Malformed("a tag of a call that does not end");
      return OnMarker(marker);
    case State::kCall:
    case State::kValue:
      raw_ += Marker(marker);
      return CallMarker(marker);
  }
}

void DsmlReader::OnFinish(std::string_view partial) {
  switch (state_) {
    case State::kText:
      for (const char c : partial) TextByte(c);
      ReleaseSpace(0);
      return;
    case State::kBlock:
      raw_ += partial;
      if (!rules_.block_is_certain && !called_) NotCalls();
      break;
    case State::kCallHead:
      raw_ += partial;
      if (rules_.block_is_certain || called_)
        sink_->Problem("the answer ended before the name of a call");
      else
        Malformed("a call without a name");
      break;
    case State::kCall:
    case State::kParameterHead:
    case State::kValue:
      EndCall(false);
      break;
  }
  if (spoke_) sink_->LateContent(blank_);
  EndBlock();
}

}  // namespace

std::unique_ptr<CallReader> MakeDsmlV32Reader(AnswerSink* sink, const AnswerOptions& options) {
  return std::make_unique<DsmlReader>(sink, options, Rules{.marks = kMarksV32});
}

std::unique_ptr<CallReader> MakeDsmlV4Reader(AnswerSink* sink, const AnswerOptions& options) {
  const Rules rules = {.marks = kMarksV4, .block_is_certain = true, .open_call_spoils_block = true};
  return std::make_unique<DsmlReader>(sink, options, rules);
}

std::unique_ptr<CallReader> MakeDsmlV41Reader(AnswerSink* sink, const AnswerOptions& options) {
  const Rules rules = {.marks = kMarksV41, .block_is_certain = true};
  return std::make_unique<DsmlReader>(sink, options, rules);
}

}  // namespace hadal
