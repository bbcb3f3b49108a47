#include "eval/vectors.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"

namespace hadal {
namespace {

bool Equal(const char* a, const char* b) {
  const auto left = ParseJson(a, "a"), right = ParseJson(b, "b");
  return JsonEqual(left->root(), right->root());
}

TEST(Vectors, EqualByValue) {
  EXPECT_TRUE(Equal(R"({"a": 1, "b": [true, null]})", R"({"b": [true, null], "a": 1.0})"));
  EXPECT_FALSE(Equal(R"({"a": 1})", R"({"a": 1, "b": 2})"));
  EXPECT_FALSE(Equal(R"({"a": 1, "c": 2})", R"({"a": 1, "b": 2})"));
  EXPECT_FALSE(Equal("[1, 2]", "[2, 1]"));
  EXPECT_FALSE(Equal("[1, 2]", "[1]"));
  EXPECT_FALSE(Equal("1", "true"));
  EXPECT_FALSE(Equal("0", "null"));
  EXPECT_FALSE(Equal("\"1\"", "1"));
  EXPECT_TRUE(Equal("18446744073709551615", "18446744073709551615"));
  EXPECT_FALSE(Equal("18446744073709551615", "18446744073709551614"));
  EXPECT_FALSE(Equal("9007199254740993", "9007199254740992"));
}

TEST(Vectors, FormatFromTheName) {
  EXPECT_EQ(VectorFormat("/x/parse_v31.jsonl", "parse_").value(), "v31");
  EXPECT_EQ(VectorFormat("encode_kimi_k2.jsonl.gz", "encode_").value(), "kimi_k2");
  EXPECT_EQ(VectorFormat("/x/other.jsonl", "parse_").status().code(), Code::kUsage);
  EXPECT_EQ(VectorFormat("parse_.jsonl", "parse_").status().code(), Code::kUsage);
}

TEST(Vectors, ReadsLinesAndNamesTheBrokenOne) {
  const std::string path = testing::TempDir() + "hadal_vectors_test.jsonl";
  ASSERT_TRUE(WriteFileAtomically(path, "{\"a\": \"x\", \"b\": true}\n\n{\"a\": null}").ok());
  const auto rows = ReadVectors(path);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(RowString(rows->at(0).root(), "a"), "x");
  EXPECT_EQ(RowString(rows->at(1).root(), "a", "none"), "none");
  EXPECT_TRUE(RowFlag(rows->at(0).root(), "b"));
  EXPECT_FALSE(RowFlag(rows->at(1).root(), "b"));
  ASSERT_TRUE(WriteFileAtomically(path, "{}\n[1]\n").ok());
  EXPECT_EQ(ReadVectors(path).status().where(), path + ":2");
  EXPECT_FALSE(ReadVectors(path + ".absent").ok());
}

}  // namespace
}  // namespace hadal
