#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map_ahead.h"
#include "base/random.h"
#include "base/thread_pool.h"

namespace hadal {
namespace {

TEST(Status, SaysFourParts) {
  const Status status = Unusable("blk.3.attn_q", "shape [4, 5]", "shape [4, 6]", "wrong file?");
  EXPECT_EQ(status.At("m.gguf").ToString(),
            "m.gguf: blk.3.attn_q: found shape [4, 5], expected shape [4, 6]; wrong file?");
  EXPECT_EQ(status.ExitCode(), 3);
}

TEST(Bytes, CheckedArithmetic) {
  EXPECT_EQ(CheckedMul(1ull << 32, 1ull << 31), 1ull << 63);
  EXPECT_FALSE(CheckedMul(1ull << 32, 1ull << 32));
  EXPECT_FALSE(CheckedAdd(~0ull, 1));
}

TEST(Json, KeepsOrderAndFindsKeys) {
  const auto document =
      ParseJson(R"({"b": 1, "a": {"x": [1, 2.5, "t", null, true]}, "b": 2})", "t");
  ASSERT_TRUE(document.ok());
  const Metadata& root = document->root();
  ASSERT_EQ(root.members().size(), 3u);
  EXPECT_EQ(root.members()[0].key, "b");
  EXPECT_EQ(root.Find("b")->integer(), 2);
  EXPECT_EQ(root.Find("c"), nullptr);
  EXPECT_EQ(WriteJson(*root.Find("a"), {", ", ": ", false}), R"({"x": [1, 2.5, "t", null, true]})");
}

TEST(Json, NumbersAsPythonWritesThem) {
  const auto document =
      ParseJson("[1.0, 0.1, 1e22, 1e16, 1e-5, 123456789.125, -0.0, 18446744073709551615]", "t");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(WriteJson(document->root()),
            "[1.0,0.1,1e+22,1e+16,1e-05,123456789.125,-0.0,18446744073709551615]");
}

TEST(Json, DescribesNumbersShortly) {
  const auto document = ParseJson("[1e300, -2.5, 3.0, 18446744073709551615, 1e-7]", "test");
  ASSERT_TRUE(document.ok());
  std::string all;
  for (const Metadata& item : document->root().items()) all += item.Describe() + " ";
  EXPECT_EQ(all, "1e+300 -2.5 3.0 18446744073709551615 1e-07 ");
}

TEST(Json, IndentsAsPythonDoes) {
  const auto document = ParseJson(R"({"a": [1, {"b": []}], "c": {}})", "t");
  ASSERT_TRUE(document.ok());
  JsonStyle style;
  style.key_separator = ": ";
  style.indent = 4;
  EXPECT_EQ(WriteJson(document->root(), style),
            "{\n    \"a\": [\n        1,\n        {\n            \"b\": []\n        }\n    ],\n"
            "    \"c\": {}\n}");
}

TEST(Json, RefusesBrokenAndDeepText) {
  EXPECT_FALSE(ParseJson("{\"a\": ", "t").ok());
  EXPECT_FALSE(ParseJson(std::string(1000, '['), "t").ok());
  EXPECT_FALSE(ParseJson("\"\xff\"", "t").ok());
}

TEST(Json, EscapesNonAscii) {
  const auto document = ParseJson("\"a\\u00e9\\ud83d\\ude00\\n\"", "t");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(WriteJson(document->root(), {",", ":", true}), "\"a\\u00e9\\ud83d\\ude00\\n\"");
}

TEST(File, WritesAtomicallyAndMaps) {
  const auto folder = std::filesystem::temp_directory_path() / "hadal_base_test";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "x").string();
  ASSERT_TRUE(WriteFileAtomically(path, "hello").ok());
  {
    auto unfinished = AtomicFile::Create(path);
    ASSERT_TRUE(unfinished.ok());
    ASSERT_TRUE(unfinished->Write("other").ok());
  }  // not committed
  const auto mapped = MappedFile::Open(path);
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ((*mapped)->bytes().size(), 5u);
  EXPECT_EQ(*ReadFile(path), "hello");
  EXPECT_FALSE(ReadFile(path, 3).ok());
  EXPECT_FALSE(MappedFile::Open(folder.string()).ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
}

// The known-answer test of the Random123 distribution for philox4x32-10.
TEST(File, ReadsPartsOfAFile) {
  const std::string path = ::testing::TempDir() + "/hadal_part_" + std::to_string(::getpid());
  ASSERT_TRUE(WriteFileAtomically(path, "0123456789").ok());
  EXPECT_EQ(*ReadFilePart(path, 2, 3), "234");
  EXPECT_EQ(*ReadFilePart(path, 8, 100), "89");
  EXPECT_EQ(*ReadFilePart(path, 10, 1), "");
  EXPECT_EQ(*ReadFilePart(path, ~0ull, ~0ull), "");
  EXPECT_FALSE(ReadFilePart(path + "_absent", 0, 1).ok());
  std::filesystem::remove(path);
}

// What it maps depends on the system and on the page cache; that it sees every byte does not.
TEST(MapAhead, SeesEveryByte) {
  const std::string path = ::testing::TempDir() + "/hadal_ahead_" + std::to_string(::getpid());
  const std::string content((5 << 20) + 123, 'x');
  ASSERT_TRUE(WriteFileAtomically(path, content).ok());
  const std::vector<std::shared_ptr<const MappedFile>> files(2, MappedFile::Open(path).value());
  MapAhead ahead(files);
  ahead.Wait();
  EXPECT_EQ(ahead.mapped_bytes() + ahead.passed_bytes(), 2 * content.size());
  EXPECT_EQ(files[0]->bytes().back(), std::byte{'x'});
  std::filesystem::remove(path);
}

TEST(MapAhead, EndsWithItsOwner) {
  const std::string path = ::testing::TempDir() + "/hadal_ends_" + std::to_string(::getpid());
  ASSERT_TRUE(WriteFileAtomically(path, std::string(3 << 20, 'x')).ok());
  const std::vector<std::shared_ptr<const MappedFile>> files{MappedFile::Open(path).value()};
  for (int i = 0; i < 20; ++i) MapAhead ahead(files);
  EXPECT_EQ(files[0].use_count(), 1);
  std::filesystem::remove(path);
}

TEST(File, OneHolderOfALock) {
  const std::string path = ::testing::TempDir() + "/hadal_lock_" + std::to_string(::getpid());
  {
    const auto first = FileLock::Try(path);
    ASSERT_TRUE(first.ok());
    EXPECT_TRUE(first->held());
    EXPECT_FALSE(FileLock::Try(path)->held());
  }
  EXPECT_TRUE(FileLock::Try(path)->held());
  EXPECT_FALSE(FileLock::Try(path + "/under/a/file").ok());
  std::filesystem::remove(path);
}

TEST(Digest, Sha256KnownAnswer) {
  // FIPS 180-4: of "abc".
  const Digest digest = Sha256Digest(std::as_bytes(std::span("abc", 3)));
  EXPECT_EQ(Hex(digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Digest(std::string_view("abc")), digest);
  EXPECT_EQ(Hex({}), "");
}

TEST(Random, PhiloxKnownAnswer) {
  const std::array<std::uint32_t, 4> zero = Philox({0, 0, 0, 0}, 0);
  EXPECT_EQ(zero, (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

TEST(Random, BelowStaysBelow) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.Below(7), 7u);
  EXPECT_EQ(UniformAt(3, 4, 5), UniformAt(3, 4, 5));
  EXPECT_NE(UniformAt(3, 4, 5), UniformAt(3, 5, 4));
}

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int repeat = 0; repeat < 200; ++repeat) {
      std::vector<std::atomic<int>> seen(37);
      pool.Run(37, [&](std::int64_t task) { seen[static_cast<std::size_t>(task)]++; });
      for (auto& count : seen) EXPECT_EQ(count.load(), 1);
    }
  }
}

}  // namespace
}  // namespace hadal
