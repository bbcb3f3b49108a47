#include "text/utf8.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/utf8.h"

namespace hadal {
namespace {

using namespace std::string_literals;

TEST(Utf8, OneReplacementForEachMaximalInvalidPart) {
  const std::string r = "\uFFFD";
  EXPECT_EQ(ReplaceInvalidUtf8("a\u00E9\u4E2D\U0001F600"), "a\u00E9\u4E2D\U0001F600");
  EXPECT_EQ(ReplaceInvalidUtf8("x\x80y"), "x" + r + "y");
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\x80"), r + r) << "C0 can begin nothing";
  EXPECT_EQ(ReplaceInvalidUtf8("\xE4\xB8z"), r + "z") << "two bytes of three are one part";
  EXPECT_EQ(ReplaceInvalidUtf8("\xF0\x9F\x98"), r);
  EXPECT_EQ(ReplaceInvalidUtf8("\xE0\x80\x80"), r + r + r) << "overlong: no valid second byte";
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80"), r + r + r) << "surrogate";
  EXPECT_EQ(ReplaceInvalidUtf8("\xF4\x90\x80\x80"), r + r + r + r) << "above U+10FFFF";
  EXPECT_EQ(ReplaceInvalidUtf8("\xE4\xE4\xB8\xAD"), r + "\u4E2D");
  EXPECT_EQ(ReplaceInvalidUtf8("a\0b"s), "a\0b"s);
}

TEST(Utf8, AppendAndReadAgreeOnEveryLength) {
  for (const char32_t point :
       {0x0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF}) {
    std::string text;
    AppendUtf8(&text, point);
    const Utf8Part part = NextUtf8Part(text, 0);
    EXPECT_EQ(part.kind, Utf8Part::kCharacter);
    EXPECT_EQ(part.length, text.size());
    EXPECT_EQ(part.point, point);
  }
}

TEST(Utf8, StreamHoldsBackUnfinishedCharactersOnly) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("\xF0\x9F"), "");
  EXPECT_EQ(stream.Push("\x98"), "");
  EXPECT_EQ(stream.Push("\x80!"), "\U0001F600!");
  EXPECT_EQ(stream.Push("\xE4"), "");
  EXPECT_EQ(stream.Push("a"),
            "\uFFFD"
            "a")
      << "known to be broken as soon as the next byte comes";
  EXPECT_EQ(stream.Push("\xE4\xB8"), "");
  EXPECT_EQ(stream.Flush(), "\uFFFD");
  EXPECT_EQ(stream.Flush(), "");
}

// Any bytes, cut anywhere: the pieces joined equal the whole, and every piece is valid.
TEST(Utf8, StreamEqualsWholeAtEverySplit) {
  Random random(7);
  constexpr unsigned char kBytes[] = {'a', 0x80, 0xBF, 0xC2, 0xE0, 0xA0, 0xED, 0xF0, 0x90, 0xF4};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t i = random.Below(12); i > 0; --i)
      text += static_cast<char>(kBytes[random.Below(std::size(kBytes))]);
    Utf8Stream stream;
    std::string joined;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = 1 + random.Below(3);
      const std::string piece = stream.Push(std::string_view(text).substr(at, length));
      EXPECT_TRUE(IsUtf8(piece));
      joined += piece;
      at += length;
    }
    joined += stream.Flush();
    EXPECT_EQ(joined, ReplaceInvalidUtf8(text));
  }
}

}  // namespace
}  // namespace hadal
