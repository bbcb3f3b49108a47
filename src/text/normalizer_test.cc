#include "text/normalizer.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace hadal {
namespace {

Result<Normalizer> FromText(const std::string& json) {
  const Result<MetadataDocument> document = ParseJson(json, "test");
  EXPECT_TRUE(document.ok());
  return Normalizer::FromJson(&document->root(), "normalizer");
}

std::string Nfc(std::string_view text) { return FromText(R"({"type":"NFC"})")->Apply(text); }

TEST(Normalizer, ReadsTheFormsAndRefusesTheRestByName) {
  EXPECT_TRUE(Normalizer::FromJson(nullptr, "n")->IsIdentity());
  EXPECT_TRUE(FromText("null")->IsIdentity());
  EXPECT_TRUE(FromText(R"({"type":"Sequence","normalizers":[]})")->IsIdentity());
  EXPECT_FALSE(FromText(R"({"type":"Sequence","normalizers":[{"type":"NFC"}]})")->IsIdentity());
  const Status refused = FromText(R"({"type":"Lowercase"})").status();
  EXPECT_EQ(refused.code(), Code::kUnsupported);
  EXPECT_NE(refused.ToString().find("Lowercase"), std::string::npos);
  EXPECT_FALSE(FromText("3").ok());
  EXPECT_FALSE(FromText(R"({"type":"Sequence"})").ok());
}

TEST(Normalizer, Composes) {
  EXPECT_EQ(Nfc("plain \u00E9"), "plain \u00E9");
  EXPECT_EQ(Nfc("e\u0301"), "\u00E9");
  EXPECT_EQ(Nfc("e\u0323\u0301"), "\u1EB9\u0301");
  EXPECT_EQ(Nfc("e\u0301\u0323"), "\u1EB9\u0301") << "marks are sorted by class first";
  EXPECT_EQ(Nfc("\u212B"), "\u00C5") << "singletons";
  EXPECT_EQ(Nfc("\u0958"), "\u0915\u093C") << "composition exclusion";
  EXPECT_EQ(Nfc("\u1100\u1161\u11A8"), "\uAC01") << "Hangul";
  EXPECT_EQ(Nfc("\uAC00\u11A8"), "\uAC01");
  EXPECT_EQ(Nfc("\uAC00\u11A7"), "\uAC00\u11A7") << "no trailing consonant";
  EXPECT_EQ(Nfc("\uAC01\u11A8"), "\uAC01\u11A8") << "it has one already";
  EXPECT_EQ(Nfc("x\u1161\u1112\u1175\u11C2y"), "x\u1161\uD7A3y");
  EXPECT_EQ(Nfc("a\u0334\u0301"), "\u00E1\u0334") << "a mark of another class does not block";
  EXPECT_EQ(Nfc("a\u0300\u0301"), "\u00E0\u0301") << "one of the same class does";
  EXPECT_EQ(FromText(R"({"type":"NFD"})")->Apply("\u00E9\uAC01"), "e\u0301\u1100\u1161\u11A8");
}

TEST(Normalizer, YoungerThanUnicode9TakesNoPart) {
  EXPECT_EQ(Nfc("\U00011935\U00011930"), "\U00011935\U00011930") << "U+11938 is of Unicode 13";
  EXPECT_EQ(Nfc("\U00011938"), "\U00011938");
  EXPECT_EQ(Nfc("q\u1ABF\u0334"), "q\u1ABF\u0334") << "U+1ABF (class 220) is of Unicode 13";
}

TEST(Normalizer, ManyMarksAreSortedInTime) {
  std::string text = "a", sorted = "\u1EA1";
  for (int i = 0; i < 100000; ++i) text += i % 2 == 0 ? "\u0301" : "\u0323";
  const std::string result = Nfc(text);
  EXPECT_EQ(result.substr(0, 5), sorted + "\u0323");
  EXPECT_EQ(result.substr(result.size() - 2), "\u0301");
}

}  // namespace
}  // namespace hadal
