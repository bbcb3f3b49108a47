#include "formats/weight_checksums.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/random.h"
#include "formats/safetensors_writer.h"

namespace hadal {
namespace {

// A checkpoint of two shards, with tensors of a few bytes and of several mebibytes.
class WeightChecksumsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = ::testing::TempDir() + "/weight_checksums_" + test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/encoding");
    Put("config.json", R"({"model_type": "llama"})");
    Put("chat_template.jinja", "{{ messages }}");
    Put("encoding/encoding_dsv4.py", "ROLE = 'user'");
    PutShard("a.safetensors", {{"embed", 300'001}, {"norm", 3}, {"gate", 1}});
    PutShard("b.safetensors", {{"down", 262'144}, {"head", 270'000}});
    Put("model.safetensors.index.json",
        R"({"weight_map":{"embed":"a.safetensors","norm":"a.safetensors","gate":"a.safetensors",)"
        R"("down":"b.safetensors","head":"b.safetensors"}})");
    const auto checkpoint = Checkpoint::Open(folder_);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().ToString();
    checkpoint_ = *checkpoint;
    auto recorded = ChecksumsOf(*checkpoint_, &threads_);
    ASSERT_TRUE(recorded.ok()) << recorded.status().ToString();
    recorded_ = *std::move(recorded);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Put(const std::string& name, const std::string& content) {
    ASSERT_TRUE(WriteFileAtomically(folder_ + "/" + name, content).ok());
  }
  void PutShard(const std::string& file,
                const std::vector<std::pair<std::string, std::int64_t>>& tensors) {
    std::vector<TensorInfo> infos;
    for (const auto& [name, values] : tensors) {
      TensorInfo& info = infos.emplace_back();
      info.name = name;
      info.shape = {values};
    }
    auto writer =
        TensorFileWriter::Create(folder_ + "/" + file, SafetensorsLayout(std::move(infos)).value());
    ASSERT_TRUE(writer.ok());
    float next = 0;
    for (const TensorInfo& info : writer->tensors()) {
      std::vector<float> data(static_cast<std::size_t>(info.values()));
      for (float& value : data) value = next++;
      ASSERT_TRUE(writer->Append(std::as_bytes(std::span(data))).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  // Turns one bit of a byte over, in place.
  static void Flip(const std::string& path, std::uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 0x10));
    file.close();
    ASSERT_TRUE(file.good());
  }
  std::vector<ChangedPiece> Changes() { return FindChanges(recorded_, &threads_); }

  std::string folder_;
  std::shared_ptr<const Checkpoint> checkpoint_;
  ThreadPool threads_{2};
  WeightChecksums recorded_;
};

TEST_F(WeightChecksumsTest, D02_AByteInTwentyPlacesIsFoundWithItsTensor) {
  EXPECT_TRUE(Changes().empty());
  EXPECT_EQ(recorded_.tensors(), 5);
  Random random(2);
  for (int place = 0; place < 20; ++place) {
    const auto tensors = checkpoint_->tensors();
    const TensorInfo& tensor = tensors[static_cast<std::size_t>(place) % tensors.size()];
    const std::uint64_t at = tensor.offset_bytes + random.Below(tensor.size_bytes);
    const std::string path = checkpoint_->files()[static_cast<std::size_t>(tensor.file)]->path();
    Flip(path, at);
    const auto changes = Changes();
    ASSERT_EQ(changes.size(), 1u) << tensor.name << " at " << at;
    EXPECT_EQ(changes[0].file, path);
    EXPECT_EQ(changes[0].name, tensor.name);
    EXPECT_TRUE(changes[0].is_tensor);
    EXPECT_GE(at, changes[0].offset_bytes);
    EXPECT_LT(at, changes[0].offset_bytes + changes[0].size_bytes);
    EXPECT_LE(changes[0].size_bytes, kChecksumPieceBytes);
    Flip(path, at);
  }
  EXPECT_TRUE(Changes().empty());
}

TEST_F(WeightChecksumsTest, D02_HeaderAndConfigurationCountToo) {
  const std::string shard = folder_ + "/a.safetensors";
  const std::uint64_t header = checkpoint_->tensors().front().offset_bytes;
  for (std::uint64_t at = 0; at < header; at += 3) {
    Flip(shard, at);
    const auto changes = Changes();
    ASSERT_EQ(changes.size(), 1u) << at;
    EXPECT_EQ(changes[0].name, "header");
    EXPECT_FALSE(changes[0].is_tensor);
    Flip(shard, at);
  }
  for (const char* name : {"config.json", "model.safetensors.index.json", "chat_template.jinja",
                           "encoding/encoding_dsv4.py"}) {
    Flip(folder_ + "/" + name, 5);
    const auto changes = Changes();
    ASSERT_EQ(changes.size(), 1u) << name;
    EXPECT_TRUE(changes[0].file.ends_with(name)) << changes[0].file;
    Flip(folder_ + "/" + name, 5);
  }
}

TEST_F(WeightChecksumsTest, D02_FilesThatAreCutGrownOrGoneAreNamed) {
  const std::string shard = folder_ + "/b.safetensors";
  const auto size = std::filesystem::file_size(shard);
  std::filesystem::resize_file(shard, size - 1);
  auto changes = Changes();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].file, shard);
  EXPECT_EQ(changes[0].found, std::to_string(size - 1) + " bytes");
  std::filesystem::resize_file(shard, size + 1);  // the byte that was lost is 0 now
  changes = Changes();
  ASSERT_GE(changes.size(), 1u);
  EXPECT_EQ(changes[0].found, std::to_string(size + 1) + " bytes");
  std::filesystem::remove(shard);
  changes = Changes();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].file, shard);
}

TEST_F(WeightChecksumsTest, D02_TheRecordComesBackAndKnowsWhenItIsDamaged) {
  const std::string record = folder_ + "/record";
  ASSERT_TRUE(WriteChecksums(recorded_, record).ok());
  const auto read = ReadChecksums(record);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  ASSERT_EQ(read->files.size(), recorded_.files.size());
  for (std::size_t i = 0; i < read->files.size(); ++i) {
    EXPECT_EQ(read->files[i].path, recorded_.files[i].path);
    ASSERT_EQ(read->files[i].spans.size(), recorded_.files[i].spans.size());
    for (std::size_t j = 0; j < read->files[i].spans.size(); ++j) {
      EXPECT_EQ(read->files[i].spans[j].name, recorded_.files[i].spans[j].name);
      EXPECT_EQ(read->files[i].spans[j].digests, recorded_.files[i].spans[j].digests);
    }
  }
  EXPECT_TRUE(FindChanges(*read, &threads_).empty());
  const auto size = std::filesystem::file_size(record);
  for (std::uint64_t at = 0; at < size; at += 37) {
    Flip(record, at);
    EXPECT_EQ(ReadChecksums(record).status().code(), Code::kUnusable) << at;
    Flip(record, at);
  }
}

}  // namespace
}  // namespace hadal
