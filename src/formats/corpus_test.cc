// Every file of tests/corpus against tests/corpus/expected.tsv (both made by tools/make_corpus.py).
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "base/file.h"
#include "formats/gguf.h"
#include "formats/safetensors.h"
#include "formats/shard_index.h"

namespace hadal {
namespace {

const std::string kCorpus = std::string(HADAL_SOURCE_DIR) + "/tests/corpus";

struct Row {
  std::string outcome, where, found, expected, hint;
};

std::map<std::string, Row> ReadTable() {
  std::istringstream text(ReadFile(kCorpus + "/expected.tsv").value());
  std::map<std::string, Row> rows;
  std::string line;
  std::getline(text, line);  // the names of the columns
  while (std::getline(text, line)) {
    std::istringstream fields(line);
    std::string file;
    Row row;
    std::getline(fields, file, '\t');
    for (std::string* field : {&row.outcome, &row.where, &row.found, &row.expected, &row.hint})
      std::getline(fields, *field, '\t');
    rows[file] = row;
  }
  return rows;
}

Status Parse(const std::string& file) {
  const std::string content = ReadFile(kCorpus + "/" + file).value();
  const ByteSpan bytes(reinterpret_cast<const std::byte*>(content.data()), content.size());
  if (file.starts_with("safetensors/")) return ParseSafetensors(bytes, bytes.size(), file).status();
  if (file.starts_with("gguf/")) return ParseGguf(bytes, bytes.size(), file, nullptr).status();
  return ParseShardIndex(content, file).status();
}

// "-": any text. No part of a refusal is empty; `where` always holds the file.
void ExpectPart(const std::string& part, const std::string& wanted, const std::string& what) {
  EXPECT_FALSE(part.empty()) << what;
  if (wanted == "-") return;
  EXPECT_NE(part.find(wanted), std::string::npos) << what << " is " << part;
}

TEST(Corpus, EveryFileGetsItsMessage) {
  const auto rows = ReadTable();
  ASSERT_GT(rows.size(), 100u);
  const std::map<std::string, Code> outcomes = {
      {"ok", Code::kOk}, {"unusable", Code::kUnusable}, {"unsupported", Code::kUnsupported}};
  for (const auto& [file, row] : rows) {
    SCOPED_TRACE(file);
    const Status status = Parse(file);
    ASSERT_TRUE(outcomes.contains(row.outcome));
    EXPECT_EQ(status.code(), outcomes.at(row.outcome)) << status.ToString();
    if (row.outcome == "ok") continue;
    EXPECT_TRUE(status.where().starts_with(file)) << status.where();
    ExpectPart(status.where(), row.where, "where");
    ExpectPart(status.found(), row.found, "found");
    ExpectPart(status.expected(), row.expected, "expected");
    ExpectPart(status.hint(), row.hint, "hint");
  }
}

TEST(Corpus, EveryFileHasARow) {
  const auto rows = ReadTable();
  std::set<std::string> files;
  for (const char* kind : {"safetensors", "gguf", "index"})
    for (const auto& entry : std::filesystem::directory_iterator(kCorpus + "/" + kind))
      files.insert(std::string(kind) + "/" + entry.path().filename().string());
  EXPECT_EQ(files.size(), rows.size());
  for (const std::string& file : files) EXPECT_TRUE(rows.contains(file)) << file;
}

// A file that is cut at any byte is refused, never read beyond its end.
TEST(Corpus, D01_EveryCutIsRefused) {
  for (const auto& [file, row] : ReadTable()) {
    if (row.outcome != "ok" || file.starts_with("index/")) continue;
    SCOPED_TRACE(file);
    const std::string content = ReadFile(kCorpus + "/" + file).value();
    for (std::size_t length = 0; length < content.size(); ++length) {
      // A copy of its own, so that a sanitizer sees a read beyond the end.
      const std::vector<char> cut(content.begin(), content.begin() + static_cast<long>(length));
      const ByteSpan bytes = std::as_bytes(std::span(cut));
      const Status status = file.starts_with("gguf/")
                                ? ParseGguf(bytes, length, file, nullptr).status()
                                : ParseSafetensors(bytes, length, file).status();
      EXPECT_FALSE(status.ok()) << "cut at " << length;
      EXPECT_FALSE(status.found().empty() || status.expected().empty() || status.hint().empty())
          << status.ToString();
    }
  }
}

}  // namespace
}  // namespace hadal
