// Tool calls of Llama 3.1 to 3.3, from the templates of the releases: the answer is one object
//   {"name": NAME, "parameters": VALUE}
// or several with ";" or white space between, perhaps after <|python_tag|>. Without a tag nothing
// tells a call from an answer in JSON but its keys and its name, so both must fit, and only the
// beginning of the answer is looked at.
#include "text/call_object.h"

namespace hadal {
namespace {

constexpr std::string_view kMarks[] = {"<|python_tag|>"};

// An object that has not shown its name by then is text.
constexpr std::size_t kMostUndecidedBytes = 1 << 20;

class Llama3Reader final : public MarkedCallReader {
 public:
  Llama3Reader(AnswerSink* sink, const Metadata* tools)
      : MarkedCallReader(sink, kMarks), object_({.tools = tools, .needs_arguments = true}, sink) {}

  bool busy() const override { return state_ == State::kObject && object_.begun(); }

 private:
  // kBefore: where a call may begin; kAfter: the same, after a call.
  enum class State : unsigned char { kBefore, kAfter, kText, kObject };

  void OnByte(char c) override;
  void OnMarker(int marker) override;
  void OnFinish(std::string_view partial) override;

  void BeforeByte(char c);
  void ObjectByte(char c);
  void ReleaseText();

  State state_ = State::kBefore;
  bool tagged_ = false;
  std::string raw_;  // what may yet be text, as written
  CallObject object_;
};

void Llama3Reader::ReleaseText() {
  state_ = State::kText;
  if (tagged_)
    sink_->MalformedText(raw_, "what follows <|python_tag|> is not a call as JSON");
  else
    sink_->Text(raw_);
  raw_.clear();
  tagged_ = false;
}

void Llama3Reader::BeforeByte(char c) {
  const bool between = IsJsonSpace(c) || (c == ';' && state_ == State::kAfter);
  raw_ += c;
  if (c == '{') {
    object_.Start();
    object_.Push(c);
    state_ = State::kObject;
  } else if (!between || raw_.size() > Marker(0).size() + kMostSpaceBytes) {
    ReleaseText();
  }
}

void Llama3Reader::ObjectByte(char c) {
  if (!object_.begun()) raw_ += c;
  const CallObject::Step step = object_.Push(c);
  if (step == CallObject::Step::kDone) {
    raw_.clear();
    tagged_ = false;
    state_ = State::kAfter;
  } else if (step == CallObject::Step::kBad ||
             (!object_.begun() && raw_.size() > kMostUndecidedBytes)) {
    ReleaseText();
  }
}

void Llama3Reader::OnByte(char c) {
  switch (state_) {
    case State::kBefore:
    case State::kAfter:
      return BeforeByte(c);
    case State::kText:
      return sink_->Text(std::string_view(&c, 1));
    case State::kObject:
      return ObjectByte(c);
  }
}

void Llama3Reader::OnMarker(int marker) {
  if (state_ == State::kObject) {
    for (const char c : Marker(marker)) OnByte(c);
    return;
  }
  if (tagged_) ReleaseText();
  raw_ += Marker(marker);
  tagged_ = true;
  state_ = State::kBefore;
}

void Llama3Reader::OnFinish(std::string_view partial) {
  if (state_ == State::kObject && object_.begun()) {
    if (object_.in_string())
      for (const char c : partial) object_.Push(c);
    object_.Cut();
  } else if (state_ != State::kAfter || !partial.empty()) {
    raw_ += partial;
    ReleaseText();
  }
  state_ = State::kBefore;
}

}  // namespace

std::unique_ptr<CallReader> MakeLlama3Reader(AnswerSink* sink, const AnswerOptions& options) {
  return std::make_unique<Llama3Reader>(sink, options.tools);
}

}  // namespace hadal
