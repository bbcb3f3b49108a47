// Finds the end of a JSON value byte by byte by its quotes and brackets alone. It does not judge
// the grammar: a model's arguments are passed on as written, and judged by whoever reads them.
#pragma once

#include <cstdint>

namespace hadal {

inline bool IsJsonSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

class JsonValueScanner {
 public:
  enum class Step : unsigned char {
    kInside,  // the byte belongs to the value, or is white space before it
    kLast,    // the byte closes the value
    kPast,    // the value ended before this byte
  };

  Step Push(char c);

  bool in_string() const { return in_string_; }
  // The value is whole if the text ends here. A number or word has no closing byte of its own.
  bool closed() const { return done_ || (word_ && depth_ == 0); }

 private:
  Step PushOutside(char c);

  std::int64_t depth_ = 0;
  bool in_string_ = false, escaped_ = false, word_ = false, done_ = false;
};

inline JsonValueScanner::Step JsonValueScanner::Push(char c) {
  if (done_) return Step::kPast;
  if (!in_string_) return PushOutside(c);
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    in_string_ = false;
    done_ = depth_ == 0;
    if (done_) return Step::kLast;
  }
  return Step::kInside;
}

inline JsonValueScanner::Step JsonValueScanner::PushOutside(char c) {
  const bool ends_word = c == ',' || c == '}' || c == ']' || IsJsonSpace(c);
  if (depth_ == 0 && ends_word && (word_ || !IsJsonSpace(c))) {
    done_ = true;
    return Step::kPast;
  }
  switch (c) {
    case '"':
      in_string_ = true;
      break;
    case '{':
    case '[':
      ++depth_;
      break;
    case '}':
    case ']':
      done_ = --depth_ == 0;
      if (done_) return Step::kLast;
      break;
    default:
      if (depth_ == 0 && !IsJsonSpace(c)) word_ = true;
  }
  return Step::kInside;
}

}  // namespace hadal
