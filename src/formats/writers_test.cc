#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "formats/checkpoint.h"
#include "formats/gguf_writer.h"
#include "formats/safetensors_writer.h"

namespace hadal {
namespace {

std::string TestPath(const std::string& name) { return ::testing::TempDir() + "/formats_" + name; }

TensorInfo Declare(std::string name, DType dtype, std::vector<std::int64_t> shape) {
  TensorInfo tensor;
  tensor.name = std::move(name);
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  return tensor;
}

// Bytes that differ from tensor to tensor and along each.
std::vector<std::byte> Pattern(const TensorInfo& tensor) {
  std::vector<std::byte> bytes(tensor.size_bytes);
  const unsigned first = static_cast<unsigned>(std::hash<std::string>()(tensor.name));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>((first + 7 * i + (i >> 8)) & 0xFF);
  return bytes;
}

void WriteAll(const std::string& path, TensorFileLayout layout) {
  const std::uint64_t promised = layout.file_bytes;
  auto writer = TensorFileWriter::Create(path, std::move(layout));
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  for (const TensorInfo& tensor : std::vector<TensorInfo>(writer->tensors())) {
    const std::vector<std::byte> bytes = Pattern(tensor);
    const std::size_t half = bytes.size() / 2;
    ASSERT_TRUE(writer->Append(ByteSpan(bytes).first(half)).ok());
    ASSERT_TRUE(writer->Append(ByteSpan(bytes).subspan(half)).ok());
  }
  EXPECT_FALSE(FileExists(path));
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(std::filesystem::file_size(path), promised);
}

void ExpectHolds(const Checkpoint& checkpoint, const std::vector<TensorInfo>& declared) {
  ASSERT_EQ(checkpoint.tensors().size(), declared.size());
  for (const TensorInfo& wanted : declared) {
    SCOPED_TRACE(wanted.name);
    const TensorInfo* found = checkpoint.Find(wanted.name);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->dtype, wanted.dtype);
    EXPECT_EQ(found->shape, wanted.shape);
    const ByteSpan bytes = checkpoint.Bytes(*found);
    const std::vector<std::byte> pattern = Pattern(*found);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), pattern.begin(), pattern.end()));
  }
  EXPECT_EQ(checkpoint.Find("absent"), nullptr);
}

TEST(SafetensorsWriter, ReadsBackWhatItWrote) {
  const std::string path = TestPath("round.safetensors");
  std::filesystem::remove(path);
  const std::vector<TensorInfo> tensors = {
      Declare("codes \"quoted\"", DType::kF8E4M3, {3, 5}), Declare("scale", DType::kF32, {}),
      Declare("weight", DType::kBF16, {7, 3}), Declare("ids", DType::kI64, {2}),
      Declare("mask", DType::kBool, {5})};
  const std::vector<std::pair<std::string, std::string>> metadata = {{"format", "pt"}};
  auto layout = SafetensorsLayout(tensors, metadata);
  ASSERT_TRUE(layout.ok()) << layout.status().ToString();
  EXPECT_EQ(layout->header.size() % 64, 0u);
  WriteAll(path, *std::move(layout));
  const auto checkpoint = Checkpoint::Open(path);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().ToString();
  ExpectHolds(**checkpoint, tensors);
  EXPECT_TRUE((*checkpoint)->config().is_null());
  std::filesystem::remove(path);
}

TEST(SafetensorsWriter, RefusesWhatTheReaderWould) {
  EXPECT_EQ(SafetensorsLayout({Declare("a", DType::kQ8_0, {32})}).status().found(), "Q8_0");
  EXPECT_EQ(SafetensorsLayout({Declare("a", DType::kF32, {0})}).status().found(),
            "a dimension of 0");
  EXPECT_FALSE(SafetensorsLayout({Declare("", DType::kF32, {1})}).ok());
  EXPECT_EQ(
      SafetensorsLayout({Declare(std::string(70000, 'n'), DType::kF32, {1})}).status().found(),
      "a name of 70000 bytes");
  const TensorInfo one = Declare("a", DType::kF32, {1});
  EXPECT_EQ(SafetensorsLayout({one, one}).status().found(), "the tensor \"a\" twice");
}

GgufPairs EveryKind() {
  GgufPairs pairs;
  pairs.String("general.architecture", "llama");
  pairs.U32("u", 4000000000u);
  pairs.F32("f", 0.1f);
  pairs.Bool("yes", true);
  pairs.Strings("tokens", std::vector<std::string>{"a", "", "\xC4\xA0t"});
  pairs.I32s("types", std::vector<std::int32_t>{1, -3});
  pairs.F32s("scores", std::vector<float>{0.5f, -1.5f});
  return pairs;
}

TEST(GgufWriter, ReadsBackWhatItWrote) {
  const std::string path = TestPath("round.gguf");
  std::filesystem::remove(path);
  const std::vector<TensorInfo> tensors = {
      Declare("norm.weight", DType::kF32, {5}), Declare("w", DType::kQ4_K, {3, 512}),
      Declare("experts", DType::kMXFP4, {4, 3, 64}), Declare("b", DType::kBF16, {2, 2, 2, 3})};
  auto layout = GgufLayout(EveryKind(), tensors);
  ASSERT_TRUE(layout.ok()) << layout.status().ToString();
  WriteAll(path, *std::move(layout));
  const auto opened = Checkpoint::Open(path);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  const Checkpoint& checkpoint = **opened;
  EXPECT_EQ(checkpoint.container(), Container::kGguf);
  ExpectHolds(checkpoint, tensors);
  for (const TensorInfo& tensor : checkpoint.tensors()) EXPECT_EQ(tensor.offset_bytes % 32, 0u);
  EXPECT_EQ(WriteJson(checkpoint.config()),
            "{\"general.architecture\":\"llama\",\"u\":4000000000,\"f\":0.10000000149011612,"
            "\"yes\":true,\"tokens\":[\"a\",\"\",\"\xC4\xA0t\"],\"types\":[1,-3],"
            "\"scores\":[0.5,-1.5]}");
  std::filesystem::remove(path);
}

TEST(GgufWriter, RefusesWhatTheReaderWould) {
  const GgufPairs none;
  EXPECT_EQ(GgufLayout(none, {Declare("a", DType::kF8E4M3, {32})}).status().found(), "F8_E4M3");
  EXPECT_EQ(GgufLayout(none, {Declare("a", DType::kF32, {})}).status().expected(),
            "1 to 4 dimensions");
  EXPECT_EQ(GgufLayout(none, {Declare("a", DType::kQ8_0, {2, 33})}).status().found(),
            "rows of 33 values");
}

TEST(TensorFileWriter, LeavesNothingWithoutFinish) {
  const std::string folder = TestPath("unfinished");
  std::filesystem::create_directories(folder);
  {
    auto layout = SafetensorsLayout({Declare("a", DType::kF32, {4})});
    ASSERT_TRUE(layout.ok());
    auto writer = TensorFileWriter::Create(folder + "/m.safetensors", *std::move(layout));
    ASSERT_TRUE(writer.ok());
    const std::vector<std::byte> bytes(16);
    ASSERT_TRUE(writer->Append(bytes).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

TEST(TensorFileWriter, ChecksItsCaller) {
  auto layout = SafetensorsLayout({Declare("a", DType::kF32, {4})});
  ASSERT_TRUE(layout.ok());
  auto writer = TensorFileWriter::Create(TestPath("caller"), *std::move(layout));
  ASSERT_TRUE(writer.ok());
  const std::vector<std::byte> bytes(20);
  EXPECT_DEATH((void)writer->Append(bytes), "crosses tensors");
  EXPECT_DEATH((void)writer->Finish(), "without all its data");
}

}  // namespace
}  // namespace hadal
