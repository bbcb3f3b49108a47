#include "serve/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"
#include "text/utf8.h"

namespace hadal {

JsonWriter& JsonWriter::Open(char bracket) {
  BeforeValue();
  text_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  text_ += bracket;
  needs_comma_ = true;
  return *this;
}

void JsonWriter::BeforeValue() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Text(name);
  text_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view value) {
  BeforeValue();
  if (IsUtf8(value))
    AppendJsonString(&text_, value);
  else
    AppendJsonString(&text_, ReplaceInvalidUtf8(value));
  return *this;
}

JsonWriter& JsonWriter::Integer(std::int64_t value) { return Raw(std::to_string(value)); }

JsonWriter& JsonWriter::Number(double value) {
  return std::isfinite(value) ? Value(Metadata(value)) : Null();
}

JsonWriter& JsonWriter::Number(float value) {
  std::array<char, 32> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double shortest = value;
  std::from_chars(text.data(), end, shortest);
  return Number(shortest);
}

JsonWriter& JsonWriter::Boolean(bool value) { return Raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::Null() { return Raw("null"); }

JsonWriter& JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  text_ += json;
  return *this;
}

JsonWriter& JsonWriter::Value(const Metadata& value) { return Raw(WriteJson(value)); }

std::string JsonWriter::Take() {
  needs_comma_ = false;
  return std::exchange(text_, {});
}

}  // namespace hadal
