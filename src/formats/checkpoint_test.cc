#include "formats/checkpoint.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"
#include "formats/gguf_writer.h"
#include "formats/hash.h"
#include "formats/safetensors_writer.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

// A directory of its own, removed at the end.
class CheckpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = ::testing::TempDir() + "/checkpoint_" + test->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Put("config.json", R"({"model_type": "llama"})");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Put(const std::string& name, const std::string& content) {
    ASSERT_TRUE(WriteFileAtomically(folder_ + "/" + name, content).ok());
  }
  // One F32 value for each name, counting from `first`.
  void PutShard(const std::string& file, const std::vector<std::string>& names, float first) {
    std::vector<TensorInfo> tensors;
    for (const std::string& name : names) {
      TensorInfo tensor;
      tensor.name = name;
      tensor.shape = {1};
      tensors.push_back(tensor);
    }
    auto writer = TensorFileWriter::Create(folder_ + "/" + file,
                                           SafetensorsLayout(std::move(tensors)).value());
    ASSERT_TRUE(writer.ok());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const float value = first + static_cast<float>(i);
      ASSERT_TRUE(writer->Append(std::as_bytes(std::span(&value, 1))).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  void PutIndex(const std::string& map) {
    Put("model.safetensors.index.json", "{\"weight_map\":{" + map + "}}");
  }
  Status OpenStatus() { return Checkpoint::Open(folder_).status(); }

  std::string folder_;
};

float ValueOf(const Checkpoint& checkpoint, const char* name) {
  const TensorInfo* tensor = checkpoint.Find(name);
  return tensor != nullptr ? LoadUnaligned<float>(checkpoint.Bytes(*tensor).data()) : -1.0f;
}

TEST_F(CheckpointTest, OpensOneFile) {
  PutShard("model.safetensors", {"a", "b"}, 5);
  Put("generation_config.json", R"({"eos_token_id": 2})");
  Put("tokenizer.json", "{}");
  const auto opened = Checkpoint::Open(folder_);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  const Checkpoint& checkpoint = **opened;
  EXPECT_EQ(ValueOf(checkpoint, "b"), 6.0f);
  EXPECT_EQ(checkpoint.config().Find("model_type")->string(), "llama");
  EXPECT_EQ(checkpoint.generation_config().Find("eos_token_id")->integer(), 2);
  EXPECT_EQ(checkpoint.SideFile("tokenizer.json"), folder_ + "/tokenizer.json");
  EXPECT_FALSE(checkpoint.SideFile("tiktoken.model"));
  EXPECT_EQ(checkpoint.mapped_bytes(), std::filesystem::file_size(folder_ + "/model.safetensors"));
}

TEST_F(CheckpointTest, OpensShards) {
  PutShard("m-1.safetensors", {"a", "c"}, 1);
  PutShard("m-2.safetensors", {"b", "unlisted"}, 10);
  PutIndex(R"("a":"m-1.safetensors","b":"m-2.safetensors","c":"m-1.safetensors")");
  const auto opened = Checkpoint::Open(folder_);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_EQ(ValueOf(**opened, "a"), 1.0f);
  EXPECT_EQ(ValueOf(**opened, "b"), 10.0f);
  EXPECT_EQ(ValueOf(**opened, "c"), 2.0f);
  EXPECT_EQ(ValueOf(**opened, "unlisted"), 11.0f);
  EXPECT_EQ((*opened)->files().size(), 2u);
}

TEST_F(CheckpointTest, NamesAMissingShard) {
  PutShard("m-1.safetensors", {"a"}, 1);
  PutIndex(R"("a":"m-1.safetensors","b":"m-2.safetensors")");
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), Code::kUnusable);
  EXPECT_EQ(status.where(), folder_ + "/m-2.safetensors");
  EXPECT_EQ(status.found(), "no such file");
  EXPECT_EQ(status.hint(), "fetch the missing shard");
}

TEST_F(CheckpointTest, NamesATensorThatItsShardLacks) {
  PutShard("m-1.safetensors", {"a"}, 1);
  PutShard("m-2.safetensors", {"c"}, 1);
  PutIndex(R"("a":"m-1.safetensors","b":"m-2.safetensors")");
  EXPECT_EQ(OpenStatus().found(), "no tensor \"b\" in m-2.safetensors");
  PutIndex(R"("a":"m-1.safetensors","c":"m-1.safetensors","z":"m-2.safetensors")");
  EXPECT_EQ(OpenStatus().found(), "no tensor \"c\" in m-1.safetensors");
}

TEST_F(CheckpointTest, NamesATensorInTwoShards) {
  PutShard("m-1.safetensors", {"a", "b"}, 1);
  PutShard("m-2.safetensors", {"b"}, 1);
  PutIndex(R"("a":"m-1.safetensors","b":"m-2.safetensors")");
  EXPECT_EQ(OpenStatus().found(),
            "tensor \"b\" in two shards, m-1.safetensors and m-2.safetensors");
}

TEST_F(CheckpointTest, D01_NamesACutShard) {
  PutShard("model.safetensors", {"a", "b"}, 1);
  const std::string path = folder_ + "/model.safetensors";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
  const Status status = OpenStatus();
  EXPECT_EQ(status.where(), path + ": tensor \"b\"");
  EXPECT_EQ(status.hint(), "the file is cut short or damaged; fetch it again");
}

TEST_F(CheckpointTest, SaysWhatIsMissing) {
  EXPECT_EQ(OpenStatus().found(), "no weights");
  Put("pytorch_model.bin", "x");
  EXPECT_EQ(OpenStatus().found(), "weights in pytorch_model.bin");
  Put("config.json", "[]");
  EXPECT_EQ(OpenStatus().expected(), "a JSON object");
  std::filesystem::remove(folder_ + "/config.json");
  EXPECT_EQ(OpenStatus().where(), folder_ + "/config.json");
  EXPECT_EQ(Checkpoint::Open(folder_ + "/none").status().found(), "no such file or directory");
}

TEST_F(CheckpointTest, RefusesAPartOfASplitFile) {
  std::string header = "GGUF";
  const auto add = [&header](auto value) {
    header.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  add(std::uint32_t{3});
  add(std::uint64_t{0});
  add(std::uint64_t{1});
  add(std::uint64_t{11});
  header += "split.count";
  add(std::uint32_t{2});  // u16
  add(std::uint16_t{3});
  Put("part.gguf", header);
  const Status status = Checkpoint::Open(folder_ + "/part.gguf").status();
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_EQ(status.found(), "one of 3 parts of a split GGUF file");
}

TEST_F(CheckpointTest, OpensTheOneGgufOfADirectory) {
  std::filesystem::remove(folder_ + "/config.json");
  const std::string header = GgufLayout({}, {}).value().header;
  Put("a.gguf", header);
  const auto opened = Checkpoint::Open(folder_);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_EQ((*opened)->container(), Container::kGguf);
  Put("b.gguf", header);
  EXPECT_EQ(OpenStatus().where(), folder_ + "/config.json");
}

TEST(Hash, KnownAnswers) {  // FIPS 180-4's examples
  EXPECT_EQ(Sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string abc = "abc";
  EXPECT_EQ(Sha256(std::as_bytes(std::span(abc))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_FALSE(Sha256OfFile("/nonexistent").ok());
}

// Tensors by dtype and files of every shared golden, counted apart from this program.
struct Golden {
  const char* path;
  std::size_t files, tensors;
  std::size_t bf16, f32, f8, e8m0, i8, blocks;
};

constexpr Golden kGoldens[] = {
    {"models/v2_lite_a", 1, 83, 83, 0, 0, 0, 0, 0},
    {"models/v2_a", 2, 137, 137, 0, 0, 0, 0, 0},
    {"models/v3_a", 1, 207, 204, 3, 0, 0, 0, 0},
    {"models/v3_fp8_a", 2, 239, 28, 107, 104, 0, 0, 0},
    {"models/kimi_k2_a", 1, 187, 185, 2, 0, 0, 0, 0},
    {"models/moonlight_a", 1, 85, 85, 0, 0, 0, 0, 0},
    {"models/v32_a", 1, 155, 144, 11, 0, 0, 0, 0},
    {"models/v4_bf16_a", 1, 308, 249, 57, 0, 0, 0, 0},
    {"models/v4_fp8fp4_a", 2, 427, 48, 50, 44, 164, 120, 0},
    {"models/deepseek_v41_a", 1, 616, 517, 99, 0, 0, 0, 0},
    {"models/deepseek_v41_b", 3, 476, 413, 63, 0, 0, 0, 0},
    {"models/deepseek_v41_c", 1, 646, 59, 63, 64, 262, 198, 0},
    {"models/qwen2_a", 1, 38, 38, 0, 0, 0, 0, 0},
    {"models/llama_a", 1, 29, 29, 0, 0, 0, 0, 0},
    {"gguf/llama_gguf_a/llama_gguf_a.Q8_0.gguf", 1, 21, 0, 5, 0, 0, 0, 16},
    {"gguf/qwen2_gguf_a/qwen2_gguf_a.BF16.gguf", 1, 26, 15, 11, 0, 0, 0, 0},
    {"gguf/ds_v3_gguf_a/ds_v3_gguf_a.Q4_0.gguf", 1, 34, 0, 11, 0, 0, 0, 23},
};

TEST(SharedGoldens, EveryTensorIsFound) {
  HADAL_NEEDS_SHARED(shared);
  for (const Golden& golden : kGoldens) {
    SCOPED_TRACE(golden.path);
    const auto opened = Checkpoint::Open(shared + "/golden/" + golden.path);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    EXPECT_EQ((*opened)->files().size(), golden.files);
    EXPECT_EQ((*opened)->tensors().size(), golden.tensors);
    std::size_t bf16 = 0, f32 = 0, f8 = 0, e8m0 = 0, i8 = 0, blocks = 0;
    for (const TensorInfo& tensor : (*opened)->tensors()) {
      bf16 += tensor.dtype == DType::kBF16;
      f32 += tensor.dtype == DType::kF32;
      f8 += tensor.dtype == DType::kF8E4M3;
      e8m0 += tensor.dtype == DType::kF8E8M0;
      i8 += tensor.dtype == DType::kI8;
      blocks += Info(tensor.dtype).block_values > 1;
      EXPECT_EQ((*opened)->Bytes(tensor).size(), tensor.size_bytes);
    }
    EXPECT_EQ(bf16, golden.bf16);
    EXPECT_EQ(f32, golden.f32);
    EXPECT_EQ(f8, golden.f8);
    EXPECT_EQ(e8m0, golden.e8m0);
    EXPECT_EQ(i8, golden.i8);
    EXPECT_EQ(blocks, golden.blocks);
  }
}

TEST(SharedGoldens, EveryFileOpens) {
  HADAL_NEEDS_SHARED(shared);
  int opened = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shared + "/golden")) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".gguf") && !path.ends_with(".safetensors")) continue;
    const auto checkpoint = Checkpoint::Open(path);
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status().ToString();
    ++opened;
  }
  EXPECT_GE(opened, 60);
}

TEST(SharedGoldens, GgufShapesAndMetadata) {
  HADAL_NEEDS_SHARED(shared);
  const auto opened = Checkpoint::Open(shared + "/golden/gguf/ds_v3_gguf_a/ds_v3_gguf_a.Q4_0.gguf");
  ASSERT_TRUE(opened.ok());
  const TensorInfo* experts = (*opened)->Find("blk.1.ffn_gate_exps.weight");
  ASSERT_NE(experts, nullptr);
  EXPECT_EQ(experts->shape, (std::vector<std::int64_t>{6, 256, 256}));
  EXPECT_EQ((*opened)->Find("blk.0.attn_k_b.weight")->shape,
            (std::vector<std::int64_t>{4, 128, 64}));
  const Metadata& config = (*opened)->config();
  EXPECT_EQ(config.members().size(), 48u);
  EXPECT_EQ(config.Find("general.architecture")->string(), "deepseek2");
  EXPECT_EQ(config.Find("tokenizer.ggml.tokens")->items().size(), 320u);
  EXPECT_EQ(config.Find("tokenizer.ggml.merges")->items()[0].string(), "\xC4\xA0 t");
  EXPECT_EQ(config.Find("tokenizer.ggml.add_bos_token")->boolean(), false);
}

}  // namespace
}  // namespace hadal
