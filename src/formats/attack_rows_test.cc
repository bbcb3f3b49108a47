// Attacks on readers of model files, each test named after its row in docs/reliability.md (C1). The
// files are made here, byte by byte; every copy is as long as its bytes, so that a sanitizer sees a
// read beyond the end.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <vector>

#include "formats/gguf.h"
#include "formats/safetensors.h"

namespace hadal {
namespace {

constexpr std::uint32_t kF32 = 0, kQ8_0 = 8;  // ggml's numbers

// A small GGUF file, and where each integer of its header stands.
class GgufImage {
 public:
  struct Field {
    std::size_t at = 0, bytes = 0;
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> dims;  // the fastest first
    std::uint32_t type = kF32;
    std::uint64_t offset = 0;
  };

  explicit GgufImage(const std::vector<Tensor>& tensors = {{"a", {32, 2}, kF32, 0},
                                                           {"b", {32, 3}, kQ8_0, 256}},
                     std::uint32_t alignment = 32, std::size_t data_bytes = 358) {
    bytes_ = "GGUF";
    Put<std::uint32_t>("version", 3);
    Put<std::uint64_t>("tensor count", tensors.size());
    Put<std::uint64_t>("pair count", 3);
    Pair("general.architecture", 8);
    Text("text", "llama");
    Pair("general.alignment", 4);
    Put<std::uint32_t>("alignment", alignment);
    Pair("tokenizer.ggml.tokens", 9);
    Put<std::uint32_t>("array type", 8);
    Put<std::uint64_t>("array count", 2);
    Text("token", "x");
    Text("second token", "y");
    for (const Tensor& tensor : tensors) {
      Text("name of " + tensor.name, tensor.name);
      Put<std::uint32_t>("rank of " + tensor.name, static_cast<std::uint32_t>(tensor.dims.size()));
      for (const std::uint64_t dim : tensor.dims) Put<std::uint64_t>("dim of " + tensor.name, dim);
      Put<std::uint32_t>("type of " + tensor.name, tensor.type);
      Put<std::uint64_t>("offset of " + tensor.name, tensor.offset);
    }
    header_bytes_ = bytes_.size();
    bytes_.resize((bytes_.size() + 31) / 32 * 32 + data_bytes);
  }

  const std::map<std::string, Field>& fields() const { return fields_; }
  std::size_t header_bytes() const { return header_bytes_; }
  const std::string& bytes() const { return bytes_; }
  std::string With(const Field& field, std::uint64_t value) const {
    std::string changed = bytes_;
    std::memcpy(changed.data() + field.at, &value, field.bytes);
    return changed;
  }

 private:
  template <typename T>
  void Put(const std::string& name, T value) {
    fields_[name] = {bytes_.size(), sizeof(value)};
    char raw[sizeof(value)];
    std::memcpy(raw, &value, sizeof(value));
    bytes_.append(raw, sizeof(value));
  }
  void Text(const std::string& name, const std::string& text) {
    Put<std::uint64_t>("length of " + name, text.size());
    bytes_ += text;
  }
  void Pair(const std::string& key, std::uint32_t type) {
    Text("key " + key, key);
    Put<std::uint32_t>("type of " + key, type);
  }

  std::string bytes_;
  std::map<std::string, Field> fields_;
  std::size_t header_bytes_ = 0;
};

Result<GgufHeader> Parse(const std::string& bytes) {
  const auto copy = std::make_shared<std::vector<char>>(bytes.begin(), bytes.end());
  return ParseGguf(std::as_bytes(std::span(*copy)), copy->size(), "model.gguf", copy);
}

void ExpectRefused(const Status& status, const std::string& what) {
  ASSERT_FALSE(status.ok()) << what;
  EXPECT_TRUE(status.where().starts_with("model.")) << what << ": " << status.ToString();
  EXPECT_FALSE(status.found().empty() || status.expected().empty() || status.hint().empty())
      << what << ": " << status.ToString();
}

// What is accepted lies in the file and nowhere twice.
void ExpectSound(const GgufHeader& header, std::uint64_t file_bytes, const std::string& what) {
  std::uint64_t end = header.data_begin_bytes;
  for (const TensorInfo& tensor : header.tensors) {
    EXPECT_GE(tensor.offset_bytes, end) << what;
    end = tensor.offset_bytes + tensor.size_bytes;
    EXPECT_LE(end, file_bytes) << what;
  }
}

TEST(C1, TheFileThatTheOthersBreakIsSound) {
  const GgufImage image;
  const auto header = Parse(image.bytes());
  ASSERT_TRUE(header.ok()) << header.status().ToString();
  EXPECT_EQ(header->tensors.size(), 2u);
  ExpectSound(*header, image.bytes().size(), "whole");
}

// CVE-2024-21802, -21825, -21836, -23496, -23605.
TEST(C1, Cve2024_21802_EveryIntegerOfTheHeaderAtItsBounds) {
  const GgufImage image;
  ASSERT_GT(image.fields().size(), 20u);
  constexpr std::uint64_t kOne = 1;
  const std::vector<std::uint64_t> values = {0,
                                             1,
                                             255,
                                             256,
                                             65535,
                                             65536,
                                             kOne << 31,
                                             (kOne << 31) - 1,
                                             (kOne << 32) - 1,
                                             kOne << 32,
                                             (kOne << 32) + 1,
                                             kOne << 62,
                                             (kOne << 63) - 1,
                                             kOne << 63,
                                             ~kOne + 1,
                                             ~std::uint64_t{0}};
  for (const auto& [name, field] : image.fields())
    for (const std::uint64_t value : values) {
      if (field.bytes == 4 && value > 0xFFFFFFFF) continue;
      const std::string what = name + " = " + std::to_string(value);
      const std::string bytes = image.With(field, value);
      const auto header = Parse(bytes);
      if (!header.ok())
        ExpectRefused(header.status(), what);
      else
        ExpectSound(*header, bytes.size(), what);
      // Nothing in a small file is that large.
      EXPECT_FALSE(header.ok() && value >= (kOne << 31) - 1) << what;
    }
}

// CVE-2024-32878, -41130.
TEST(C1, Cve2024_32878_EveryCutOfTheHeader) {
  const GgufImage image;
  for (std::size_t length = 0; length < image.bytes().size(); ++length)
    ExpectRefused(Parse(image.bytes().substr(0, length)).status(),
                  "cut at " + std::to_string(length));
}

TEST(C1, Cve2025_49847_LengthsOfTokensThatDoNotFit32Bits) {
  const GgufImage image;
  for (const char* token : {"length of token", "length of second token"})
    for (const std::uint64_t length : {0x7FFFFFFFull, 0x80000000ull, 0xFFFFFFFFull, 0x100000000ull,
                                       0x100000001ull, 0xFFFFFFFF00000001ull})
      ExpectRefused(Parse(image.With(image.fields().at(token), length)).status(),
                    std::string(token) + " " + std::to_string(length));
}

// CVE-2025-53630, CVE-2026-27940: sizes that each fit and whose sum does not; the last tensor's
// end; the gap that alignment makes.
TEST(C1, Cve2025_53630_SumsOfSizes) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 61;  // values; of 4 bytes: 2^63
  const auto refused = [](const std::vector<GgufImage::Tensor>& tensors, const char* what) {
    ExpectRefused(Parse(GgufImage(tensors).bytes()).status(), what);
  };
  refused({{"a", {kHalf}, kF32, 0}, {"b", {kHalf}, kF32, std::uint64_t{1} << 63}}, "both halves");
  refused({{"a", {8}, kF32, 0}, {"b", {8}, kF32, ~std::uint64_t{31}}}, "the last one wraps");
  refused({{"a", {8}, kF32, ~std::uint64_t{0} - 31}}, "its offset and the header wrap");
  refused({{"a", {90}, kF32, 0}}, "two bytes past the end");
  refused({{"a", {64}, kF32, 0}, {"b", {8}, kF32, 224}}, "they overlap");
  ExpectRefused(Parse(GgufImage({{"a", {8}, kF32, 0}}, std::uint32_t{1} << 20).bytes()).status(),
                "the data would begin behind the end");
}

TEST(C1, Cve2026_33298_ProductsOfDimensions) {
  const std::uint64_t big = std::uint64_t{1} << 32;
  const std::vector<std::vector<std::uint64_t>> shapes = {
      {big, big},  // wraps to 0
      {big, big, 1, 1},
      {big + 1, big - 1},
      {(std::uint64_t{1} << 62) + 8, 4},  // wraps to 32
      {0x5555555555555556, 3},            // wraps to 2
      {32, std::uint64_t{1} << 59},
      {std::uint64_t{1} << 63},
      {32, 0},
      {0}};
  for (const std::uint32_t type : {kF32, kQ8_0})
    for (const auto& shape : shapes)
      ExpectRefused(Parse(GgufImage({{"a", shape, type, 0}}).bytes()).status(),
                    std::to_string(type) + ", " + std::to_string(shape.front()));
}

// The set V-01 to V-06 of May 2026.
TEST(C1, Gguf2026_05_AlignmentTypesAndBlocks) {
  for (const std::uint32_t alignment : {0u, 3u, 24u, 33u, 0x80000000u, 0xFFFFFFFFu})
    ExpectRefused(Parse(GgufImage({{"a", {8}, kF32, 0}}, alignment).bytes()).status(),
                  "alignment " + std::to_string(alignment));
  for (const std::uint32_t type : {4u, 5u, 36u, 200u, 0x7FFFFFFFu, 0xFFFFFFFFu})
    ExpectRefused(Parse(GgufImage({{"a", {32}, type, 0}}).bytes()).status(),
                  "type " + std::to_string(type));
  for (const std::uint64_t width : {1u, 31u, 33u, 63u})
    ExpectRefused(Parse(GgufImage({{"a", {width}, kQ8_0, 0}}).bytes()).status(),
                  "blocks of 32 and " + std::to_string(width));
}

TEST(C1, Cve2026_7482_ADeclaredSizePastTheEnd) {
  const std::size_t held = 358;
  for (std::uint64_t rows = 1; rows <= 8; ++rows) {
    const GgufImage image({{"a", {32, rows}, kF32, 0}});
    const auto header = Parse(image.bytes());
    EXPECT_EQ(header.ok(), 128 * rows <= held) << rows;
    if (!header.ok()) ExpectRefused(header.status(), std::to_string(rows));
  }
}

Status ParseTensors(std::string json, std::size_t data_bytes) {
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = json.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  bytes += json + std::string(data_bytes, '\0');
  const std::vector<char> copy(bytes.begin(), bytes.end());
  return ParseSafetensors(std::as_bytes(std::span(copy)), copy.size(), "model.safetensors")
      .status();
}

// The audit of safetensors of 2023: one file a rule.
TEST(C1, SafetensorsAudit2023_OneFileARule) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  ASSERT_TRUE(ParseTensors(good, 8).ok());
  const auto refused = [](const std::string& json, std::size_t bytes) {
    ExpectRefused(ParseTensors(json, bytes), json);
  };
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  refused("{" + a + "," + a + "}", 8);  // a key twice
  refused(" [" + good + "]", 8);        // no object
  refused("{" + a + "}", 7);            // the data is short
  refused("{" + a + "}", 9);            // and has a rest
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8);
  refused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8);
  refused(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0);
  refused("{" + a + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12);   // overlap
  refused("{" + a + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}})", 20);  // a hole
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":)", 8);           // cut
}

// What torch writes (a ZIP archive, or a bare pickle) is no model file of ours.
TEST(C1, PickleLoads_AreNoModelFiles) {
  for (const std::string& start : {std::string("PK\x03\x04"), std::string("\x80\x02}q\x00.", 6)}) {
    const std::string bytes = start + std::string(200, '\0');
    ExpectRefused(Parse(bytes).status(), "as GGUF");
    const std::vector<char> copy(bytes.begin(), bytes.end());
    ExpectRefused(
        ParseSafetensors(std::as_bytes(std::span(copy)), copy.size(), "model.safetensors").status(),
        "as safetensors");
  }
}

}  // namespace
}  // namespace hadal
