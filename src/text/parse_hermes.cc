// Tool calls of Hermes, Qwen2.5 and Qwen3, from the templates of the releases:
//   <tool_call>\n{"name": NAME, "arguments": VALUE}\n</tool_call>
// The tags are ordinary text to some of these models, so a tag counts only where an object with a
// name follows, and tags inside its strings are part of the string.
#include "text/call_object.h"

namespace hadal {
namespace {

enum Mark : int { kOpen, kClose };

constexpr std::string_view kMarks[] = {"<tool_call>", "</tool_call>"};

// An object that has not shown its name by then is text.
constexpr std::size_t kMostUndecidedBytes = 1 << 20;

class HermesReader final : public MarkedCallReader {
 public:
  explicit HermesReader(AnswerSink* sink) : MarkedCallReader(sink, kMarks), object_({}, sink) {}

  bool busy() const override {
    return state_ == State::kTail || (state_ == State::kObject && object_.begun());
  }

 private:
  enum class State : unsigned char { kText, kOpened, kObject, kTail, kMalformed };

  void OnByte(char c) override;
  void OnMarker(int marker) override;
  void OnFinish(std::string_view partial) override;

  void OpenedByte(char c);
  void ObjectByte(char c);
  void ObjectMarker(int marker);
  void Open();
  void Malformed();

  State state_ = State::kText;
  std::string raw_;  // the call so far as written, for text should it be none
  char last_ = 0;    // the byte before
  CallObject object_;
};

void HermesReader::Open() {
  raw_ = Marker(kOpen);
  state_ = State::kOpened;
}

// Everything up to the closing tag is text.
void HermesReader::Malformed() {
  state_ = State::kMalformed;
  sink_->MalformedText(std::exchange(raw_, {}), "what stands in <tool_call> is not a call as JSON");
}

void HermesReader::OpenedByte(char c) {
  const std::size_t most = Marker(kOpen).size() + kMostSpaceBytes;
  if (IsJsonSpace(c) && raw_.size() < most) {
    raw_ += c;
  } else if (c == '{') {
    object_.Start();
    state_ = State::kObject;
    ObjectByte(c);
  } else {
    sink_->Text(std::exchange(raw_, {}));
    state_ = State::kText;
    OnByte(c);
  }
}

void HermesReader::ObjectByte(char c) {
  if (!object_.begun()) raw_ += c;
  last_ = c;
  const CallObject::Step step = object_.Push(c);
  if (step == CallObject::Step::kDone) state_ = State::kTail;
  if (step == CallObject::Step::kBad || (!object_.begun() && raw_.size() > kMostUndecidedBytes))
    Malformed();
}

void HermesReader::OnByte(char c) {
  switch (state_) {
    case State::kText:
      return sink_->Text(std::string_view(&c, 1));
    case State::kOpened:
      return OpenedByte(c);
    case State::kObject:
      return ObjectByte(c);
    case State::kMalformed:
      return sink_->MalformedText(std::string_view(&c, 1), "");
    case State::kTail:  // between the object and its closing tag
      return;
  }
}

// A line break cannot stand in a JSON string, so a closing tag after one ends even an open string.
void HermesReader::ObjectMarker(int marker) {
  if (object_.in_string() && !(marker == kClose && last_ == '\n')) {
    for (const char c : Marker(marker)) OnByte(c);
    return;
  }
  if (object_.begun()) {
    object_.Cut();
    state_ = State::kTail;
  } else {
    Malformed();
  }
  OnMarker(marker);
}

void HermesReader::OnMarker(int marker) {
  if (state_ == State::kObject) return ObjectMarker(marker);
  if (marker == kOpen) return Open();  // a doubled tag counts once
  if (state_ == State::kMalformed) sink_->MalformedText(Marker(marker), "");
  if (state_ == State::kOpened) sink_->Text(std::exchange(raw_, {}));
  if (state_ == State::kOpened || state_ == State::kText) sink_->Text(Marker(marker));
  state_ = State::kText;
}

void HermesReader::OnFinish(std::string_view partial) {
  if (state_ == State::kText) sink_->Text(partial);
  if (state_ == State::kOpened) sink_->Text(raw_ + std::string(partial));
  if (state_ == State::kMalformed) sink_->MalformedText(partial, "");
  if (state_ == State::kObject) {
    if (object_.begun() && object_.in_string())
      for (const char c : partial) object_.Push(c);
    raw_ += partial;
    if (!object_.begun()) Malformed();
    object_.Cut();
  }
  state_ = State::kText;
}

}  // namespace

std::unique_ptr<CallReader> MakeHermesReader(AnswerSink* sink, const AnswerOptions&) {
  return std::make_unique<HermesReader>(sink);
}

}  // namespace hadal
