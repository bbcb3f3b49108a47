// What lists say of models that are not loaded, against checkpoints of known shapes and formats.
#include "engine/model_facts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "eval/inspect.h"
#include "quant/synth.h"

namespace hadal {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("hadal_facts_" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

TEST(ModelFacts, SayWhatTheHeadersSay) {
  const Folder folder;
  struct Case {
    const char *shape, *format, *quantization;
    bool gguf;
  };
  for (const Case& wanted :
       {Case{"tiny", "bf16", "BF16", false}, Case{"tiny", "fp8", "F8_E4M3", false},
        Case{"tiny", "q8_0", "Q8_0", true}, Case{"tiny", "q4_0", "Q4_0", true},
        Case{"tiny-v3", "fp8", "F8_E4M3", false}}) {
    SynthOptions synth;
    synth.shape = wanted.shape;
    synth.format = wanted.format;
    synth.gguf = wanted.gguf;
    synth.out = folder.path / (std::string(wanted.shape) + wanted.format);
    const auto made = WriteSynthetic(synth);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    const auto facts = ReadModelFacts(made->path, {});
    ASSERT_TRUE(facts.ok()) << facts.status().ToString();
    EXPECT_EQ(facts->quantization, wanted.quantization) << made->path;
    const auto checkpoint = Checkpoint::Open(made->path);
    ASSERT_TRUE(checkpoint.ok());
    const auto report = Inspect(**checkpoint, {});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(facts->parameters, report->parameters.total);
    EXPECT_EQ(facts->architecture, report->spec.architecture);
    EXPECT_EQ(facts->context_tokens, report->spec.context);
    EXPECT_EQ(facts->mapped_bytes, report->memory.mapped_bytes);
    EXPECT_EQ(facts->cache_bytes, report->memory.cache_bytes);
    EXPECT_GT(facts->own_bytes, 0u);
    const auto shorter = ReadModelFacts(made->path, {.context_tokens = 64});
    ASSERT_TRUE(shorter.ok());
    EXPECT_EQ(shorter->context_tokens, 64);
    EXPECT_LT(shorter->cache_bytes, facts->cache_bytes);
    const auto language = ReadLanguage(made->path, "");
    ASSERT_TRUE(language.ok()) << language.status().ToString();
    EXPECT_NE(language->tokenizer, nullptr);
  }
}

TEST(ModelFacts, RefuseWhatIsNoModel) {
  const Folder folder;
  EXPECT_EQ(ReadModelFacts(folder.path / "none", {}).status().code(), Code::kUnusable);
  EXPECT_EQ(ReadModelFacts(folder.path, {.profile = "best"}).status().code(), Code::kUsage);
}

TEST(ModelFacts, WriteCountsAsPeopleDo) {
  EXPECT_EQ(ParameterText(134'515'008), "134.5M");
  EXPECT_EQ(ParameterText(671'026'419'200), "671.0B");
  EXPECT_EQ(ParameterText(1'600'000'000'000), "1.6T");
  EXPECT_EQ(ParameterText(2'500), "2.5K");
  EXPECT_EQ(ParameterText(97), "97");
}

}  // namespace
}  // namespace hadal
