// UTF-8 as it comes from outside: whole texts and streams. What is not UTF-8 becomes U+FFFD, one
// for each maximal invalid part (Unicode Standard 16.0, section 3.9, "U+FFFD substitution of
// maximal subparts"; what WHATWG decoders and Rust's from_utf8_lossy do).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hadal {

// What stands at one place of a text.
struct Utf8Part {
  enum Kind : std::uint8_t {
    kCharacter,   // a whole character
    kInvalid,     // bytes that cannot become one, whatever follows
    kUnfinished,  // the text ends inside a character
  };
  Kind kind = kCharacter;
  std::uint8_t length = 1;
  char32_t point = 0;  // of a whole character
};
Utf8Part NextUtf8Part(std::string_view text, std::size_t at);  // at < text.size()

void AppendUtf8(std::string* out, char32_t point);

// Each maximal invalid part (an unfinished character at the end too) becomes U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

// Bytes in, whole characters out. One object a stream; not for several threads at once.
class Utf8Stream {
 public:
  // The text that is certain now: an unfinished character is held back, bytes that can no longer
  // become one give U+FFFD at once.
  std::string Push(std::string_view bytes);
  // The end: U+FFFD for an unfinished character. The object can be used again.
  std::string Flush();

 private:
  std::string pending_;  // at most 3 bytes
};

}  // namespace hadal
