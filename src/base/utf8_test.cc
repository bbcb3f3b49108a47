#include "base/utf8.h"

#include <gtest/gtest.h>

namespace hadal {
namespace {

TEST(Utf8, TakesEveryLengthAtItsBounds) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("blk.0\x7F"));
  EXPECT_TRUE(IsUtf8("\xC2\x80\xDF\xBF"));                      // U+0080, U+07FF
  EXPECT_TRUE(IsUtf8("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80"));  // U+0800, U+D7FF, U+E000
  EXPECT_TRUE(IsUtf8("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));      // U+10000, U+10FFFF
}

TEST(Utf8, FindsTheFirstWrongByte) {
  EXPECT_EQ(ValidUtf8Prefix("ab\xFF"), 2u);
  EXPECT_EQ(ValidUtf8Prefix("\x80"), 0u);              // a continuation without a start
  EXPECT_EQ(ValidUtf8Prefix("\xC1\xBF"), 0u);          // overlong
  EXPECT_EQ(ValidUtf8Prefix("a\xE0\x9F\xBF"), 1u);     // overlong
  EXPECT_EQ(ValidUtf8Prefix("\xED\xA0\x80"), 0u);      // a surrogate
  EXPECT_EQ(ValidUtf8Prefix("\xF0\x8F\xBF\xBF"), 0u);  // overlong
  EXPECT_EQ(ValidUtf8Prefix("\xF4\x90\x80\x80"), 0u);  // above U+10FFFF
  EXPECT_EQ(ValidUtf8Prefix("\xF5\x80\x80\x80"), 0u);
  EXPECT_EQ(ValidUtf8Prefix("x\xE2\x82"), 1u);     // cut short
  EXPECT_EQ(ValidUtf8Prefix("\xE2\x82\x41"), 0u);  // no continuation
}

}  // namespace
}  // namespace hadal
