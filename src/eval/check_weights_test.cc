#include "eval/check_weights.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/json.h"
#include "formats/safetensors_writer.h"

namespace hadal {
namespace {

class CheckWeightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = ::testing::TempDir() + "/check_weights_" + test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/model");
    ASSERT_TRUE(WriteFileAtomically(folder_ + "/model/config.json", "{}").ok());
    TensorInfo tensor;
    tensor.name = "layer.weight";
    tensor.shape = {1000};
    const std::vector<float> values(1000, 1.0f);
    auto writer = TensorFileWriter::Create(shard(), SafetensorsLayout({tensor}).value());
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->Append(std::as_bytes(std::span(values))).ok());
    ASSERT_TRUE(writer->Finish().ok());
    record_ = ChecksumRecord(folder_ + "/home", folder_ + "/model");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string shard() const { return folder_ + "/model/model.safetensors"; }
  void Overwrite(std::uint64_t at, char byte) const {
    std::fstream file(shard(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.close();
    ASSERT_TRUE(file.good());
  }
  CheckWeightsReport Check(bool anew = false) const {
    const auto report = CheckWeights(folder_ + "/model", record_, anew);
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? *report : CheckWeightsReport{};
  }

  std::string folder_, record_;
};

TEST_F(CheckWeightsTest, D02_RecordsOnceThenCompares) {
  const CheckWeightsReport first = Check();
  EXPECT_TRUE(first.recorded);
  EXPECT_EQ(first.tensors, 1);
  const CheckWeightsReport second = Check();
  EXPECT_FALSE(second.recorded);
  EXPECT_TRUE(second.ok());
  EXPECT_EQ(second.bytes, first.bytes);
  // Nothing was written beside the weights.
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_ + "/model"))
    ++files;
  EXPECT_EQ(files, 2u);
}

TEST_F(CheckWeightsTest, D02_SaysWhichTensorHasChanged) {
  Check();
  Overwrite(std::filesystem::file_size(shard()) - 1, 7);
  const CheckWeightsReport report = Check();
  EXPECT_FALSE(report.ok());
  const Status status = report.ToStatus();
  EXPECT_EQ(status.code(), Code::kUnusable);
  EXPECT_EQ(status.where(), shard() + ": tensor layer.weight");
  EXPECT_NE(report.ToText().find("tensor layer.weight"), std::string::npos);
  const std::string json = report.ToJson();
  const auto document = ParseJson(json, "report");
  ASSERT_TRUE(document.ok()) << json;
  EXPECT_EQ(document->root().Find("ok")->boolean(), false);
  EXPECT_EQ(document->root().Find("changed")->items()[0].Find("name")->string(), "layer.weight");
  // Replaced on purpose.
  EXPECT_TRUE(Check(true).recorded);
  EXPECT_TRUE(Check().ok());
}

TEST_F(CheckWeightsTest, D02_AHeaderThatNoLongerOpensIsNamedToo) {
  Check();
  Overwrite(8, 'x');  // the first byte of the JSON
  const CheckWeightsReport report = Check();
  ASSERT_EQ(report.changed.size(), 1u);
  EXPECT_EQ(report.changed[0].name, "header");
}

}  // namespace
}  // namespace hadal
