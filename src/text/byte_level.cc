#include "text/byte_level.h"

#include <array>

#include "text/utf8.h"

namespace hadal {
namespace {

constexpr char32_t kAlphabetEnd = 0x144;

constexpr bool IsPlainAscii(unsigned byte) { return byte >= 0x21 && byte <= 0x7E; }
constexpr bool StandsForItself(unsigned byte) {
  return IsPlainAscii(byte) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// The byte of each character below kAlphabetEnd, -1 where it has none.
constexpr std::array<std::int16_t, kAlphabetEnd> MakeBytes() {
  std::array<std::int16_t, kAlphabetEnd> bytes{};
  for (std::int16_t& byte : bytes) byte = -1;
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte)
    bytes[StandsForItself(byte) ? byte : next++] = static_cast<std::int16_t>(byte);
  return bytes;
}
constexpr std::array<std::int16_t, kAlphabetEnd> kBytes = MakeBytes();

}  // namespace

char32_t ByteLevelCharacter(std::uint8_t byte) {
  if (StandsForItself(byte)) return byte;
  char32_t character = 0x100;
  while (kBytes[character] != byte) ++character;
  return character;
}

std::optional<std::string> FromByteLevel(std::string_view written) {
  std::string bytes;
  bytes.reserve(written.size());
  for (std::size_t at = 0; at < written.size();) {
    if (const auto byte = static_cast<unsigned char>(written[at]); IsPlainAscii(byte)) {
      bytes += written[at++];
      continue;
    }
    const Utf8Part part = NextUtf8Part(written, at);
    at += part.length;
    if (part.kind != Utf8Part::kCharacter || part.point >= kAlphabetEnd || kBytes[part.point] < 0)
      return std::nullopt;
    bytes += static_cast<char>(kBytes[part.point]);
  }
  return bytes;
}

}  // namespace hadal
