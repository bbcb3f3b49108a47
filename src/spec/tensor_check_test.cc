#include "spec/tensor_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "spec/spec_test_data.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

// A model, its plan and a list of tensors that fits it, to be spoilt.
class TensorCheck : public testing::Test {
 protected:
  void Use(const std::string& config) {
    spec_ = SpecOf(config);
    plan_ = MakeTensorPlan(spec_);
    tensors_.clear();
    for (const ExpectedTensor& expected : plan_.tensors())
      for (std::int64_t i = 0; i < expected.instances; ++i) Add(expected, i);
  }
  void Add(const ExpectedTensor& expected, std::int64_t instance) {
    TensorInfo tensor;
    tensor.name = expected.InstanceName(instance);
    tensor.dtype = expected.storage == Storage::kInteger ? DType::kI64 : DType::kBF16;
    tensor.shape = expected.shape;
    tensors_.push_back(std::move(tensor));
  }
  TensorInfo& Tensor(const std::string& name) {
    const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                    [&](const TensorInfo& t) { return t.name == name; });
    EXPECT_NE(found, tensors_.end()) << name;
    return *found;
  }
  void Remove(const std::string& name) {
    std::erase_if(tensors_, [&](const TensorInfo& t) { return t.name == name; });
  }
  void Insert(std::string name, DType dtype, std::vector<std::int64_t> shape) {
    TensorInfo tensor;
    tensor.name = std::move(name);
    tensor.dtype = dtype;
    tensor.shape = std::move(shape);
    tensors_.push_back(std::move(tensor));
  }
  Result<CheckedTensors> Check() { return CheckTensors(spec_, plan_, tensors_); }
  void ExpectRefusal(const std::string& where) {
    const auto checked = Check();
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(checked.status().where(), where) << checked.status().ToString();
    EXPECT_EQ(checked.status().code(), Code::kUnusable);
    EXPECT_FALSE(checked.status().expected().empty());
  }

  static std::string Small() {
    std::string config = WithField(PublishedConfig("v2-lite"), "num_hidden_layers", "2");
    config = WithField(config, "n_routed_experts", "4");
    config = WithField(config, "num_experts_per_tok", "2");
    return config;
  }

  ModelSpec spec_;
  TensorPlan plan_{{}};
  std::vector<TensorInfo> tensors_;
};

constexpr char kExpert[] = "model.layers.1.mlp.experts.3.up_proj.weight";

TEST_F(TensorCheck, EveryGoldenModelFits) {
  HADAL_NEEDS_SHARED(shared);
  for (const auto& entry : std::filesystem::directory_iterator(shared + "/golden/models")) {
    const std::string folder = entry.path().string();
    SCOPED_TRACE(folder);
    const ModelSpec spec = SpecOf(ConfigOf(folder));
    const TensorPlan plan = MakeTensorPlan(spec);
    const std::vector<TensorInfo> tensors = TensorsOf(folder);
    const auto checked = CheckTensors(spec, plan, tensors);
    ASSERT_TRUE(checked.ok()) << checked.status().ToString();
    EXPECT_EQ(checked->warnings(), std::vector<std::string>{});
    EXPECT_EQ(checked->draft_complete(), spec.draft.layers > 0);
    EXPECT_EQ(checked->tied(), spec.tied);
  }
}

TEST_F(TensorCheck, BindsByRoleLayerAndExpert) {
  Use(Small());
  const auto checked = Check();
  ASSERT_TRUE(checked.ok()) << checked.status().ToString();
  const StoredTensor* up = checked->Find(Role::kExpertUp, 1, 3);
  ASSERT_NE(up, nullptr);
  EXPECT_EQ(up->data->name, kExpert);
  EXPECT_EQ(up->rows, 1408);
  EXPECT_EQ(up->columns, 2048);
  EXPECT_EQ(up->format, WeightFormat::kBF16);
  EXPECT_EQ(checked->Find(Role::kExpertUp, 1, 4), nullptr);
  EXPECT_EQ(checked->Find(Role::kExpertUp, 0), nullptr);
  EXPECT_EQ(checked->Find(Role::kQA, 0), nullptr);
  EXPECT_EQ(checked->Head().data->name, "lm_head.weight");
}

TEST_F(TensorCheck, MissingTensors) {
  for (const char* name :
       {kExpert, "model.norm.weight", "model.layers.0.mlp.gate_proj.weight", "lm_head.weight"}) {
    Use(Small());
    Remove(name);
    ExpectRefusal(name);
  }
}

TEST_F(TensorCheck, WrongShapes) {
  for (const char* name : {kExpert, "model.norm.weight", "model.embed_tokens.weight"}) {
    Use(Small());
    Tensor(name).shape.back() += 1;
    ExpectRefusal(name);
    Use(Small());
    Tensor(name).shape.push_back(1);
    ExpectRefusal(name);
  }
}

TEST_F(TensorCheck, WrongNumberFormats) {
  Use(Small());
  Tensor("model.norm.weight").dtype = DType::kF8E4M3;
  ExpectRefusal("model.norm.weight");
  Use(Small());
  Tensor(kExpert).dtype = DType::kI64;
  ExpectRefusal(kExpert);
}

TEST_F(TensorCheck, ScalesOfEveryName) {
  const std::string stem = std::string(kExpert).substr(0, std::string(kExpert).size() - 7);
  for (const char* suffix : {".weight_scale_inv", ".weight_scale", ".scale"}) {
    for (const DType dtype : {DType::kF32, DType::kF8E8M0, DType::kU8}) {
      Use(Small());
      Tensor(kExpert).dtype = DType::kF8E4M3;
      Insert(stem + suffix, dtype, {11, 16});
      const auto checked = Check();
      ASSERT_TRUE(checked.ok()) << checked.status().ToString();
      EXPECT_TRUE(checked->warnings().empty());
      const StoredTensor* up = checked->Find(Role::kExpertUp, 1, 3);
      EXPECT_EQ(up->format, WeightFormat::kFp8Block);
      EXPECT_EQ(up->block, 128);
      EXPECT_EQ(up->scale->name, stem + suffix);
    }
  }
  Use(Small());
  Tensor(kExpert).dtype = DType::kF8E4M3;
  ExpectRefusal(kExpert);  // no scale
  Insert(stem + ".scale", DType::kF32, {11, 15});
  ExpectRefusal(stem + ".scale");
}

TEST_F(TensorCheck, PackedFp4) {
  const std::string name = kExpert;
  Use(Small());
  Tensor(name) = TensorInfo{name, DType::kI8, {1408, 1024}};
  Insert(name + "_scale", DType::kU8, {1408, 64});
  auto checked = Check();
  ASSERT_TRUE(checked.ok()) << checked.status().ToString();
  EXPECT_EQ(checked->Find(Role::kExpertUp, 1, 3)->format, WeightFormat::kMxfp4);
  EXPECT_EQ(checked->Find(Role::kExpertUp, 1, 3)->columns, 2048);
  Use(Small());
  Tensor(name) = TensorInfo{name, DType::kU8, {1408, 1024}};
  Insert(name + "_scale", DType::kF8E4M3, {1408, 128});
  ExpectRefusal(name + "_scale_2");
  Insert(name + "_scale_2", DType::kF32, {});
  checked = Check();
  ASSERT_TRUE(checked.ok()) << checked.status().ToString();
  EXPECT_EQ(checked->Find(Role::kExpertUp, 1, 3)->format, WeightFormat::kNvfp4);
  EXPECT_NE(checked->Find(Role::kExpertUp, 1, 3)->global_scale, nullptr);
}

TEST_F(TensorCheck, UnknownTensorsAreReported) {
  Use(Small());
  Insert("model.layers.0.self_attn.rotary_emb.inv_freq", DType::kF32, {32});
  EXPECT_TRUE(Check()->warnings().empty());
  Insert("vision.patch.weight", DType::kBF16, {4, 4});
  ASSERT_EQ(Check()->warnings().size(), 1u);
  EXPECT_NE(Check()->warnings()[0].find("vision.patch.weight"), std::string::npos);
}

TEST_F(TensorCheck, ABiasThatTheConfigDenies) {
  Use(PublishedConfig("smollm2-135m"));
  Insert("model.layers.3.self_attn.q_proj.bias", DType::kBF16, {576});
  ExpectRefusal("model.layers.3.self_attn.q_proj.bias");
}

TEST_F(TensorCheck, TiedHead) {
  Use(PublishedConfig("smollm2-135m"));
  Remove("lm_head.weight");
  const auto checked = Check();
  ASSERT_TRUE(checked.ok());
  EXPECT_TRUE(checked->tied());
  EXPECT_EQ(checked->Head().data->name, "model.embed_tokens.weight");
}

TEST_F(TensorCheck, AStoredHeadIsUsedWhateverTheConfigSays) {
  Use(PublishedConfig("smollm2-135m"));
  const auto checked = Check();
  ASSERT_TRUE(checked.ok());
  EXPECT_FALSE(checked->tied());
  EXPECT_EQ(checked->Head().data->name, "lm_head.weight");
  EXPECT_EQ(checked->warnings().size(), 1u);
}

TEST_F(TensorCheck, DraftsAreWholeOrLeftOut) {
  std::string config = WithField(PublishedConfig("v3"), "num_hidden_layers", "4");
  config = WithField(WithField(config, "n_routed_experts", "8"), "n_group", "1");
  config = WithField(config, "quantization_config", "");
  Use(config);
  EXPECT_TRUE(Check()->draft_complete());
  Remove("model.layers.4.eh_proj.weight");
  auto checked = Check();
  ASSERT_TRUE(checked.ok()) << checked.status().ToString();
  EXPECT_FALSE(checked->draft_complete());
  EXPECT_EQ(checked->warnings().size(), 1u);
  std::erase_if(tensors_,
                [](const TensorInfo& t) { return t.name.starts_with("model.layers.4."); });
  checked = Check();
  ASSERT_TRUE(checked.ok());
  EXPECT_FALSE(checked->draft_complete());
  EXPECT_TRUE(checked->warnings().empty());
}

TEST_F(TensorCheck, AManyExpertConfigCostsLittle) {
  std::string config = WithField(PublishedConfig("v3"), "n_routed_experts", "16384");
  config = WithField(config, "num_hidden_layers", "10000");
  spec_ = SpecOf(config);
  plan_ = MakeTensorPlan(spec_);
  EXPECT_LT(plan_.tensors().size(), 300'000u);
  EXPECT_FALSE(Check().ok());
}

}  // namespace
}  // namespace hadal
