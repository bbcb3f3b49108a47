// Tool calls of Kimi-K2, from the templates of the releases:
//   <|tool_calls_section_begin|><|tool_call_begin|>functions.NAME:INDEX
//   <|tool_call_argument_begin|>ARGUMENTS<|tool_call_end|> ... <|tool_calls_section_end|>
// without line breaks. "functions." may be missing; the index may not (a call without one is left
// out, as the reference parsers do). A call without the outer marks is understood.
#include <algorithm>

#include "text/call_reader.h"

namespace hadal {
namespace {

enum Mark : int { kSectionBegin, kSectionEnd, kCallBegin, kArgumentBegin, kCallEnd };

constexpr std::string_view kMarks[] = {"<|tool_calls_section_begin|>", "<|tool_calls_section_end|>",
                                       "<|tool_call_begin|>", "<|tool_call_argument_begin|>",
                                       "<|tool_call_end|>"};

// The name within "functions.NAME:INDEX"; empty where it has no such form.
std::string_view NameInId(std::string_view id) {
  constexpr std::string_view kPrefix = "functions.";
  const std::size_t colon = id.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view index = id.substr(colon + 1);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (index.empty() || !std::ranges::all_of(index, digit)) return {};
  id = id.substr(0, colon);
  if (id.starts_with(kPrefix)) id.remove_prefix(kPrefix.size());
  return TrimSpace(id);
}

class KimiReader final : public MarkedCallReader {
 public:
  explicit KimiReader(AnswerSink* sink) : MarkedCallReader(sink, kMarks) {}

  bool busy() const override {
    return in_section_ && state_ != State::kText && state_ != State::kSectionStart;
  }

 private:
  enum class State : unsigned char { kText, kSectionStart, kSection, kId, kArguments, kSkip };

  void OnByte(char c) override;
  void OnMarker(int marker) override;
  void OnFinish(std::string_view partial) override;

  void TextMarker(int marker);
  void SectionStartMarker(int marker);
  void SectionMarker(int marker);
  void ArgumentsMarker(int marker);
  void EndId();
  void BadId();
  void StartId(bool in_section);
  void ReleaseRaw();

  State state_ = State::kText;
  bool in_section_ = false;  // what stands here is certainly a section of calls
  std::string raw_;          // what may yet be text, as written
  std::string id_;
  RawArguments arguments_;
};

void KimiReader::StartId(bool in_section) {
  if (in_section) sink_->LeaveReasoning();
  in_section_ = in_section;
  raw_ = Marker(kCallBegin);
  id_.clear();
  state_ = State::kId;
}

void KimiReader::ReleaseRaw() {
  state_ = State::kText;
  in_section_ = false;
  sink_->Text(std::exchange(raw_, {}));
}

void KimiReader::BadId() {
  if (!in_section_) return ReleaseRaw();
  state_ = State::kSkip;
  sink_->Problem("a call whose id is not functions.NAME:INDEX was left out");
}

void KimiReader::EndId() {
  const std::string_view id = TrimSpace(id_);
  const std::string_view name = NameInId(id);
  if (name.empty()) {
    raw_ += Marker(kArgumentBegin);
    return BadId();
  }
  in_section_ = true;
  arguments_.Start(false);
  state_ = State::kArguments;
  sink_->BeginCall(name, id);
}

void KimiReader::OnByte(char c) {
  switch (state_) {
    case State::kText:
      return sink_->Text(std::string_view(&c, 1));
    case State::kSectionStart:
      if (IsJsonSpace(c) && raw_.size() < Marker(kSectionBegin).size() + kMostSpaceBytes) {
        raw_ += c;
        return;
      }
      ReleaseRaw();
      return OnByte(c);
    case State::kId:
      raw_ += c;
      id_ += c;
      if (id_.size() > kMostNameBytes) BadId();
      return;
    case State::kArguments:
      return arguments_.Push(c, sink_);
    case State::kSection:
    case State::kSkip:
      return;
  }
}

void KimiReader::TextMarker(int marker) {
  if (marker == kCallBegin) return StartId(false);
  if (marker != kSectionBegin) return sink_->Text(Marker(marker));
  raw_ = Marker(marker);
  state_ = State::kSectionStart;
}

void KimiReader::SectionStartMarker(int marker) {
  if (marker == kCallBegin) return StartId(true);
  if (marker == kSectionBegin) {
    raw_ = Marker(marker);  // a doubled mark counts once
  } else if (marker == kSectionEnd) {
    raw_.clear();  // a section without calls
    state_ = State::kText;
  } else {
    ReleaseRaw();
    TextMarker(marker);
  }
}

void KimiReader::SectionMarker(int marker) {
  if (marker == kCallBegin) return StartId(true);
  if (marker == kCallEnd) state_ = State::kSection;
  if (marker == kSectionEnd) {
    state_ = State::kText;
    in_section_ = false;
  }
}

void KimiReader::ArgumentsMarker(int marker) {
  const bool always_ends = marker == kCallEnd;
  const bool may_end = marker == kCallBegin || marker == kSectionEnd;
  if (!always_ends && (!may_end || arguments_.in_string())) return OnBytes(Marker(marker));
  arguments_.End();
  sink_->EndCall();
  state_ = State::kSection;
  SectionMarker(marker);
}

void KimiReader::OnMarker(int marker) {
  switch (state_) {
    case State::kText:
      return TextMarker(marker);
    case State::kSectionStart:
      return SectionStartMarker(marker);
    case State::kSection:
    case State::kSkip:
      return SectionMarker(marker);
    case State::kId:
      if (marker == kArgumentBegin) return EndId();
      BadId();
      return OnMarker(marker);
    case State::kArguments:
      return ArgumentsMarker(marker);
  }
}

void KimiReader::OnFinish(std::string_view partial) {
  if (state_ == State::kArguments) {
    arguments_.Cut(sink_);
    if (arguments_.in_string())
      for (const char c : partial) sink_->Arguments(c);
    sink_->EndCall();
  } else if (state_ == State::kId && in_section_) {
    sink_->Problem("the answer ended before the arguments of a call");
  } else if (!in_section_) {
    raw_ += partial;
    if (state_ == State::kText) raw_ = partial;
    ReleaseRaw();
  }
  in_section_ = false;
  state_ = State::kText;
}

}  // namespace

std::unique_ptr<CallReader> MakeKimiReader(AnswerSink* sink, const AnswerOptions&) {
  return std::make_unique<KimiReader>(sink);
}

}  // namespace hadal
