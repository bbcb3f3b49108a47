#include "spec/model_spec.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "tests/shared_dir.h"

namespace hadal {
namespace {

ModelSpec GoldenSpec(const std::string& folder) {
  const auto text = ReadFile(folder + "/config.json");
  EXPECT_TRUE(text.ok());
  const auto document = ParseJson(*text, "config.json");
  EXPECT_TRUE(document.ok());
  const auto spec = ParseModelSpec(document->root(), Container::kSafetensors);
  EXPECT_TRUE(spec.ok()) << folder << ": " << spec.status().ToString();
  return spec.ok() ? *spec : ModelSpec{};
}

TEST(ModelSpec, ReadsEveryGoldenConfig) {
  HADAL_NEEDS_SHARED(shared);
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shared + "/golden/models")) {
    const ModelSpec spec = GoldenSpec(entry.path().string());
    EXPECT_GT(spec.layer_count(), 0) << entry.path();
    ++seen;
  }
  EXPECT_GT(seen, 0);
}

TEST(ModelSpec, LlamaForm) {
  HADAL_NEEDS_SHARED(shared);
  const ModelSpec spec = GoldenSpec(shared + "/golden/models/llama_a");
  EXPECT_EQ(spec.generation, Generation::kLlama);
  EXPECT_EQ(spec.hidden, 144);
  EXPECT_EQ(spec.attention.heads, 9);
  EXPECT_EQ(spec.attention.kv_heads, 3);
  EXPECT_EQ(spec.attention.head_dim, 16);
  EXPECT_EQ(spec.attention.softmax_scale, 0.25f);
  EXPECT_TRUE(spec.tied);
  EXPECT_TRUE(spec.runnable);
  EXPECT_EQ(spec.layer_count(), 3);
}

}  // namespace
}  // namespace hadal
