#include "text/call_object.h"

#include "base/json.h"

namespace hadal {
namespace {

// The text of a JSON string with its quotes; nothing where it is not one.
std::optional<std::string> DecodeString(std::string_view quoted) {
  const Result<MetadataDocument> document = ParseJson(quoted, "a name");
  if (!document.ok()) return std::nullopt;
  const std::optional<std::string_view> text = document->root().string();
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

}  // namespace

void CallObject::Start() {
  state_ = State::kOpen;
  begun_ = has_name_ = has_arguments_ = false;
  text_.clear();
  name_.clear();
  early_.clear();
  value_ = {};
  arguments_.Start(false);
}

bool CallObject::in_string() const {
  switch (state_) {
    case State::kKeyText:
      return true;
    case State::kName:
    case State::kArguments:
    case State::kOther:
      return value_.in_string();
    default:
      return false;
  }
}

void CallObject::Begin() {
  begun_ = true;
  sink_->BeginCall(name_, "");
}

CallObject::Step CallObject::Push(char c) {
  switch (state_) {
    case State::kOpen:
      state_ = State::kKey;
      return c == '{' ? Step::kMore : Step::kBad;
    case State::kKey:
      return KeyByte(c);
    case State::kKeyText:
      text_ += c;
      if (text_.size() > kMostNameBytes) return Broken();
      return value_.Push(c) == JsonValueScanner::Step::kLast ? EndKey() : Step::kMore;
    case State::kColon:
      return ColonByte(c);
    case State::kName:
      return NameByte(c);
    case State::kArguments:
      return ArgumentsByte(c);
    case State::kOther:
      return OtherByte(c);
    case State::kNext:
      return NextByte(c);
  }
  return Step::kBad;
}

CallObject::Step CallObject::KeyByte(char c) {
  if (IsJsonSpace(c)) return Step::kMore;
  if (c != '"') return Broken();
  text_ = c;
  value_ = {};
  value_.Push(c);
  state_ = State::kKeyText;
  return Step::kMore;
}

CallObject::Step CallObject::EndKey() {
  const std::optional<std::string> key = DecodeString(text_);
  if (!key) return Broken();
  value_state_ = State::kOther;
  if (*key == "name" && !has_name_) value_state_ = State::kName;
  if ((*key == "arguments" || *key == "parameters") && !has_arguments_)
    value_state_ = State::kArguments;
  state_ = State::kColon;
  return Step::kMore;
}

CallObject::Step CallObject::ColonByte(char c) {
  if (IsJsonSpace(c)) return Step::kMore;
  if (c != ':') return Broken();
  state_ = value_state_;
  value_ = {};
  text_.clear();
  if (state_ == State::kArguments && has_name_) Begin();
  return Step::kMore;
}

CallObject::Step CallObject::NameByte(char c) {
  if (text_.empty() && IsJsonSpace(c)) return Step::kMore;
  if (text_.empty() && c != '"') return Broken();
  text_ += c;
  if (text_.size() > kMostNameBytes) return Broken();
  if (value_.Push(c) != JsonValueScanner::Step::kLast) return Step::kMore;
  const std::optional<std::string> name = DecodeString(text_);
  if (!name || TrimSpace(*name).empty() || !ToolListed(rules_.tools, *name)) return Broken();
  name_ = *name;
  has_name_ = true;
  state_ = State::kNext;
  if (!has_arguments_) return Step::kMore;
  Begin();
  for (const char held : early_) sink_->Arguments(held);
  early_.clear();
  sink_->EndCall();
  return Step::kMore;
}

CallObject::Step CallObject::ArgumentsByte(char c) {
  const JsonValueScanner::Step step = value_.Push(c);
  if (step != JsonValueScanner::Step::kPast) {
    if (begun_)
      arguments_.Push(c, sink_);
    else if (!IsJsonSpace(c) || !early_.empty())
      early_ += c;
  }
  if (step == JsonValueScanner::Step::kInside) return Step::kMore;
  state_ = State::kNext;
  has_arguments_ = true;
  if (begun_) sink_->EndCall();
  if (step == JsonValueScanner::Step::kLast) return Step::kMore;
  return !begun_ && early_.empty() ? Broken() : NextByte(c);
}

CallObject::Step CallObject::OtherByte(char c) {
  const JsonValueScanner::Step step = value_.Push(c);
  if (step == JsonValueScanner::Step::kInside) return Step::kMore;
  state_ = State::kNext;
  return step == JsonValueScanner::Step::kPast ? NextByte(c) : Step::kMore;
}

CallObject::Step CallObject::NextByte(char c) {
  if (IsJsonSpace(c)) return Step::kMore;
  if (c == '}') return Close();
  if (c != ',') return Broken();
  state_ = State::kKey;
  return Step::kMore;
}

CallObject::Step CallObject::Close() {
  if (begun_ || !has_name_ || has_arguments_ || rules_.needs_arguments) return Broken();
  Begin();
  for (const char c : std::string_view("{}")) sink_->Arguments(c);
  sink_->EndCall();
  return Step::kDone;
}

void CallObject::Cut() {
  if (!begun_ || !sink_->call_open()) return;
  arguments_.End();
  sink_->EndCall();
}

}  // namespace hadal
