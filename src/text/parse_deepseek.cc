// Tool calls of V3 and V3.1, from the templates of the releases. Both write
//   <calls_begin> <call_begin> HEAD <sep> BODY <call_end> ... <calls_end>
// V3:   HEAD is "function", BODY is "NAME\n```json\nARGUMENTS\n```"
// V3.1: HEAD is NAME, BODY is ARGUMENTS
// Each form is understood under both, and without the outer marks: the model's intent is plain.
#include "text/call_reader.h"

namespace hadal {
namespace {

enum Mark : int { kCallsBegin, kCallsEnd, kCallBegin, kCallEnd, kSep };

// U+FF5C full-width bar, U+2581 lower one eighth block.
constexpr std::string_view kMarks[] = {
    "<\uFF5Ctool\u2581calls\u2581begin\uFF5C>", "<\uFF5Ctool\u2581calls\u2581end\uFF5C>",
    "<\uFF5Ctool\u2581call\u2581begin\uFF5C>", "<\uFF5Ctool\u2581call\u2581end\uFF5C>",
    "<\uFF5Ctool\u2581sep\uFF5C>"};

class DeepSeekReader final : public MarkedCallReader {
 public:
  explicit DeepSeekReader(AnswerSink* sink) : MarkedCallReader(sink, kMarks) {}

  bool busy() const override { return sink_->call_open(); }

 private:
  enum class State : unsigned char { kText, kSection, kHead, kName, kFence, kFenceTag, kArguments };

  void OnByte(char c) override;
  void OnMarker(int marker) override;
  void OnFinish(std::string_view partial) override;

  State Outside() const { return in_section_ ? State::kSection : State::kText; }
  void StartHead();
  void EndHead();
  void NameByte(char c);
  void FenceByte(char c);
  void Begin();
  void StartArguments(bool fenced, char c);
  void Malformed(std::string_view reason);
  void ArgumentsMarker(int marker);

  State state_ = State::kText;
  bool in_section_ = false;
  std::string raw_;   // the call so far as written, for text should it be malformed
  std::string name_;  // the head, then the name
  std::string fence_;
  RawArguments arguments_;
};

void DeepSeekReader::StartHead() {
  raw_ = Marker(kCallBegin);
  name_.clear();
  state_ = State::kHead;
}

void DeepSeekReader::Malformed(std::string_view reason) {
  state_ = Outside();
  sink_->MalformedText(raw_, reason);
}

void DeepSeekReader::Begin() {
  in_section_ = true;
  fence_.clear();
  sink_->BeginCall(TrimSpace(name_), "");
  state_ = State::kFence;
}

void DeepSeekReader::EndHead() {
  const std::string_view head = TrimSpace(name_);
  raw_ += Marker(kSep);
  if (head.empty()) return Malformed("a call without a name");
  if (head != "function") return Begin();
  name_.clear();
  state_ = State::kName;
}

void DeepSeekReader::NameByte(char c) {
  // V3.1 with a tool that is called "function": arguments follow at once, and no name begins so.
  if (TrimSpace(name_).empty() && (c == '{' || c == '[' || c == '"')) {
    name_ = "function";
    Begin();
    return OnByte(c);
  }
  raw_ += c;
  if (c == '\n' && !TrimSpace(name_).empty()) return Begin();
  name_ += c;
  if (name_.size() > kMostNameBytes) Malformed("a name that does not end");
}

void DeepSeekReader::StartArguments(bool fenced, char c) {
  arguments_.Start(fenced);
  state_ = State::kArguments;
  arguments_.Push(c, sink_);
}

// Before the arguments: white space, then perhaps ``` and the name of a language.
void DeepSeekReader::FenceByte(char c) {
  if (state_ == State::kFenceTag) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && fence_.size() < kMostSpaceBytes)
      fence_ += c;
    else
      StartArguments(true, c);
    return;
  }
  if (fence_.empty() && IsJsonSpace(c)) return;
  if (c == '`') {
    fence_ += c;
    if (fence_.size() == 3) state_ = State::kFenceTag;
    return;
  }
  arguments_.Start(false);
  state_ = State::kArguments;
  for (const char held : fence_) arguments_.Push(held, sink_);
  arguments_.Push(c, sink_);
}

void DeepSeekReader::OnByte(char c) {
  switch (state_) {
    case State::kText:
    case State::kSection:
      return sink_->Text(std::string_view(&c, 1));
    case State::kHead:
      raw_ += c;
      name_ += c;
      if (name_.size() > kMostNameBytes) Malformed("a name that does not end");
      return;
    case State::kName:
      return NameByte(c);
    case State::kFence:
    case State::kFenceTag:
      return FenceByte(c);
    case State::kArguments:
      return arguments_.Push(c, sink_);
  }
}

void DeepSeekReader::ArgumentsMarker(int marker) {
  const bool always_ends = marker == kCallEnd;
  const bool may_end = marker == kCallBegin || marker == kCallsEnd;
  if (!always_ends && (!may_end || arguments_.in_string())) return OnBytes(Marker(marker));
  arguments_.End();
  sink_->EndCall();
  arguments_ = RawArguments();
  state_ = State::kSection;
  if (marker != kCallEnd) OnMarker(marker);
}

void DeepSeekReader::OnMarker(int marker) {
  switch (state_) {
    case State::kText:
    case State::kSection:
      if (marker == kCallBegin) return StartHead();
      if (marker == kCallsBegin || (marker == kCallsEnd && in_section_)) {
        in_section_ = marker == kCallsBegin;
        state_ = Outside();
        return sink_->EndSegment();
      }
      return sink_->Text(Marker(marker));
    case State::kHead:
      if (marker == kSep) return EndHead();
      [[fallthrough]];
    case State::kName:
      Malformed("a call without a name");
      return OnMarker(marker);
    case State::kFence:
    case State::kFenceTag:
    case State::kArguments:
      return ArgumentsMarker(marker);
  }
}

void DeepSeekReader::OnFinish(std::string_view partial) {
  switch (state_) {
    case State::kText:
      sink_->Text(partial);
      break;
    case State::kHead:
    case State::kName:
      raw_ += partial;
      Malformed("a call without a name");
      break;
    case State::kArguments:
      arguments_.Cut(sink_);
      if (arguments_.in_string())
        for (const char c : partial) sink_->Arguments(c);
      break;
    case State::kSection:  // the beginning of the next mark
    case State::kFence:
    case State::kFenceTag:
      break;
  }
  if (sink_->call_open()) sink_->EndCall();
  in_section_ = false;
  state_ = State::kText;
}

}  // namespace

std::unique_ptr<CallReader> MakeDeepSeekReader(AnswerSink* sink, const AnswerOptions&) {
  return std::make_unique<DeepSeekReader>(sink);
}

}  // namespace hadal
