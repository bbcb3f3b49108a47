#include "text/utf8.h"

#include <utility>

#include "base/utf8.h"

namespace hadal {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

unsigned Byte(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Appends the text with invalid parts replaced, up to an unfinished character; returns where that
// begins.
std::size_t AppendReplaced(std::string* out, std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t valid = ValidUtf8Prefix(text.substr(at));
    out->append(text, at, valid);
    at += valid;
    if (at == text.size()) break;
    const Utf8Part part = NextUtf8Part(text, at);
    if (part.kind == Utf8Part::kUnfinished) break;
    *out += kReplacement;
    at += part.length;
  }
  return at;
}

}  // namespace

Utf8Part NextUtf8Part(std::string_view text, std::size_t at) {
  const unsigned first = Byte(text, at);
  if (first < 0x80) return {Utf8Part::kCharacter, 1, first};
  if (first < 0xC2 || first > 0xF4) return {Utf8Part::kInvalid, 1, 0};
  const std::uint8_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t point = first & (0x7Fu >> length);
  for (std::uint8_t i = 1; i < length; ++i) {
    if (at + i == text.size()) return {Utf8Part::kUnfinished, i, 0};
    const unsigned next = Byte(text, at + i);
    // The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF.
    const bool second = i == 1;
    const unsigned least = second && first == 0xE0 ? 0xA0 : second && first == 0xF0 ? 0x90 : 0x80;
    const unsigned most = second && first == 0xED ? 0x9F : second && first == 0xF4 ? 0x8F : 0xBF;
    if (next < least || next > most) return {Utf8Part::kInvalid, i, 0};
    point = (point << 6) | (next & 0x3Fu);
  }
  return {Utf8Part::kCharacter, length, point};
}

void AppendUtf8(std::string* out, char32_t point) {
  if (point < 0x80) {
    *out += static_cast<char>(point);
    return;
  }
  const int extra = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  constexpr unsigned kLead[] = {0, 0xC0, 0xE0, 0xF0};
  *out += static_cast<char>(kLead[extra] | (point >> (6 * extra)));
  for (int i = extra - 1; i >= 0; --i)
    *out += static_cast<char>(0x80u | ((point >> (6 * i)) & 0x3Fu));
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  if (AppendReplaced(&out, text) < text.size()) out += kReplacement;
  return out;
}

std::string Utf8Stream::Push(std::string_view bytes) {
  pending_ += bytes;
  std::string out;
  pending_.erase(0, AppendReplaced(&out, pending_));
  return out;
}

std::string Utf8Stream::Flush() {
  if (std::exchange(pending_, {}).empty()) return {};
  return std::string(kReplacement);
}

}  // namespace hadal
