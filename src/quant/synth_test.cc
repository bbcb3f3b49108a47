#include "quant/synth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/json.h"
#include "formats/checkpoint.h"
#include "formats/gguf_writer.h"
#include "formats/hash.h"
#include "quant/shapes.h"
#include "quant/synth_gguf.h"
#include "quant/synth_job.h"
#include "quant/synth_plan.h"
#include "spec/engram_hash.h"
#include "spec/sizes.h"
#include "spec/tensor_check.h"
#include "text/tokenizer.h"

namespace hadal {
namespace {

ModelSpec HfSpec(const ShapeRequest& request) {
  return ParseModelSpec(ShapeConfig(request).value().root(), Container::kSafetensors).value();
}

// Enough for the groups of every shape that has any.
std::int64_t FewExperts(std::string_view shape) {
  const ModelSpec spec = HfSpec({std::string(shape), SynthFormat::kBf16, 1});
  return spec.mixture.experts > 0 ? 16 : 0;
}

// What the reader of checkpoints says of the tensors that would be written.
Status CheckPlanned(const ModelSpec& spec, SynthFormat format, bool tied) {
  const TensorPlan plan = MakeTensorPlan(spec);
  std::vector<TensorInfo> infos;
  for (const SynthTensor& tensor : SynthTensors(spec, plan, format, tied))
    infos.push_back(tensor.info);
  const auto checked = CheckTensors(spec, plan, infos);
  if (!checked.ok()) return checked.status();
  if (!checked->warnings().empty()) return Failed("plan", checked->warnings().front());
  if (checked->tied() != tied) return Failed("plan", "the wrong head");
  if (spec.draft.layers > 0 && !checked->draft_complete()) return Failed("plan", "half a draft");
  return {};
}

TEST(SynthPlan, EveryShapeAndFormatPassesTheReader) {
  int pairs = 0;
  for (const std::string_view shape : ShapeNames()) {
    for (const SynthFormat format :
         {SynthFormat::kBf16, SynthFormat::kFp8, SynthFormat::kMxfp4, SynthFormat::kNvfp4}) {
      const ShapeRequest request{std::string(shape), format, 4, FewExperts(shape)};
      if (!ShapeConfig(request).ok()) continue;
      const ModelSpec spec = HfSpec(request);
      if (!CheckFormat(spec, format).ok()) continue;
      const Status status = CheckPlanned(spec, format, spec.tied);
      EXPECT_TRUE(status.ok()) << shape << " " << Name(format) << ": " << status.ToString();
      ++pairs;
    }
  }
  EXPECT_EQ(pairs, 8 * 4 + 3 * 3 + 12 * 3);
}

// The spec of a header that was written and read again; an error where the shape has no GGUF form.
Result<ModelSpec> GgufSpec(const ModelSpec& hf, const std::string& shape) {
  HADAL_ASSIGN_OR_RETURN(const GgufPairs pairs,
                         SynthGgufPairs(hf, shape, SynthFormat::kQ8_0, MakeSynthVocabulary(hf)));
  HADAL_ASSIGN_OR_RETURN(const TensorFileLayout layout, GgufLayout(pairs, {}));
  const ByteSpan bytes = std::as_bytes(std::span(layout.header));
  HADAL_ASSIGN_OR_RETURN(const GgufHeader header, ParseGguf(bytes, bytes.size(), shape, nullptr));
  return ParseModelSpec(header.metadata.root(), Container::kGguf);
}

TEST(SynthPlan, EveryGgufPassesTheReader) {
  int pairs = 0;
  for (const std::string_view shape : ShapeNames()) {
    const ModelSpec hf = HfSpec({std::string(shape), SynthFormat::kBf16, 4, FewExperts(shape)});
    const auto spec = GgufSpec(hf, std::string(shape));
    EXPECT_EQ(spec.ok(), hf.generation < Generation::kDeepSeekV32) << spec.status().ToString();
    if (!spec.ok()) continue;
    EXPECT_EQ(spec->generation, hf.generation);
    EXPECT_EQ(spec->attention.softmax_scale, hf.attention.softmax_scale) << shape;
    EXPECT_EQ(spec->mixture.groups_kept, hf.mixture.groups_kept) << shape;
    for (const SynthFormat format :
         {SynthFormat::kBf16, SynthFormat::kQ8_0, SynthFormat::kQ4_0, SynthFormat::kMxfp4}) {
      if (!CheckFormat(*spec, format).ok()) continue;
      const Status status = CheckPlanned(*spec, format, hf.tied);
      EXPECT_TRUE(status.ok()) << shape << " " << Name(format) << ": " << status.ToString();
      ++pairs;
    }
  }
  EXPECT_EQ(pairs, 7 * 4 + 12 * 3);
}

TEST(SynthPlan, DraftLayersCopyEmbeddingAndHead) {
  const ModelSpec spec = HfSpec({"v3", SynthFormat::kFp8, 4, 16, true});
  ASSERT_TRUE(CheckPlanned(spec, SynthFormat::kFp8, false).ok());
  const TensorPlan plan = MakeTensorPlan(spec);
  std::string embedding, draft_embedding;
  for (const SynthTensor& tensor : SynthTensors(spec, plan, SynthFormat::kFp8, false)) {
    if (tensor.info.name == "model.embed_tokens.weight") embedding = tensor.random.key;
    if (tensor.info.name == "model.layers.4.embed_tokens.weight")
      draft_embedding = tensor.random.key;
  }
  EXPECT_FALSE(embedding.empty());
  EXPECT_EQ(embedding, draft_embedding);
}

TEST(SynthPlan, V4HasThePublishedSizes) {  // architectures.md section 9
  const ModelSpec flash = HfSpec({"v4-flash", SynthFormat::kMxfp4});
  EXPECT_NEAR(static_cast<double>(CountParameters(flash, MakeTensorPlan(flash), false).total) / 1e9,
              284.3, 0.05);
  const ModelSpec pro = HfSpec({"v4-pro", SynthFormat::kMxfp4});
  EXPECT_NEAR(static_cast<double>(CountParameters(pro, MakeTensorPlan(pro), false).total) / 1e9,
              1573.0, 0.5);
  ShapeRequest with_draft{"v4-flash", SynthFormat::kMxfp4, 2, 16, true};
  EXPECT_TRUE(CheckPlanned(HfSpec(with_draft), SynthFormat::kMxfp4, false).ok());
}

TEST(SynthPlan, V3HasThePublishedShapes) {  // architectures.md 2.2
  const ModelSpec spec = HfSpec({"v3", SynthFormat::kFp8});
  EXPECT_EQ(spec.layer_count(), 61);
  std::map<std::string, TensorInfo> by_name;
  for (const SynthTensor& tensor :
       SynthTensors(spec, MakeTensorPlan(spec), SynthFormat::kFp8, false))
    by_name[tensor.info.name] = tensor.info;
  const auto expect = [&](const std::string& name, DType dtype, std::vector<std::int64_t> shape) {
    EXPECT_EQ(by_name["model.layers.3." + name].dtype, dtype) << name;
    EXPECT_EQ(by_name["model.layers.3." + name].shape, shape) << name;
  };
  expect("self_attn.kv_a_proj_with_mqa.weight", DType::kF8E4M3, {576, 7168});
  expect("self_attn.kv_a_proj_with_mqa.weight_scale_inv", DType::kF32, {5, 56});
  expect("self_attn.q_b_proj.weight", DType::kF8E4M3, {24576, 1536});
  expect("mlp.experts.255.down_proj.weight", DType::kF8E4M3, {7168, 2048});
  expect("mlp.experts.255.down_proj.weight_scale_inv", DType::kF32, {56, 16});
  expect("mlp.gate.weight", DType::kBF16, {256, 7168});
  expect("mlp.gate.e_score_correction_bias", DType::kF32, {256});
  expect("input_layernorm.weight", DType::kBF16, {7168});
}

Status Synth(SynthOptions options) { return WriteSynthetic(options).status(); }

TEST(Synth, RefusesWhatOptionsCannotMean) {
  const std::string out = ::testing::TempDir() + "/synth_refused";
  const auto usage = [&](SynthOptions options, const std::string& where) {
    options.out = out;
    const Status status = Synth(options);
    EXPECT_EQ(status.code(), Code::kUsage) << status.ToString();
    EXPECT_NE(status.where().find(where), std::string::npos) << status.ToString();
  };
  usage({.shape = "v9"}, "shape");
  usage({.shape = "v4-flash", .format = "nvfp4"}, "--format");
  usage({.shape = "v4.1-flash", .layers = 4, .mtp = true}, "--mtp");
  usage({.shape = "v3", .format = "int3"}, "--format");
  usage({.shape = "v3", .format = "q8_0"}, "--format");
  usage({.shape = "v3", .format = "fp8", .gguf = true}, "--format");
  usage({.shape = "qwen2-1.5b", .format = "mxfp4"}, "--format");
  usage({.shape = "v3", .layers = 62}, "--layers");
  usage({.shape = "v3", .layers = -1}, "--layers");
  usage({.shape = "v3", .experts = 12}, "n_group");
  usage({.shape = "llama-8b", .experts = 8}, "--experts");
  usage({.shape = "moonlight", .mtp = true}, "--mtp");
  usage({.shape = "v3.2", .gguf = true}, "--gguf");
  usage({.shape = "v3", .engram_rows = 5}, "--engram-rows");
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Synth, SaysThatTheDiskIsFullBeforeItWrites) {
  const std::string out = ::testing::TempDir() + "/synth_full";
  const Status status = Synth({.shape = "kimi-k2", .out = out, .format = "bf16"});  // 2 TB
  EXPECT_EQ(status.code(), Code::kNoRoom) << status.ToString();
  EXPECT_EQ(status.ExitCode(), 4);
  EXPECT_FALSE(std::filesystem::exists(out));
}

// The smallest shape: 49152 x 576 embeddings and one layer.
TEST(Synth, WritesTheSameBytesForTheSameSeed) {
  const std::string out = ::testing::TempDir() + "/synth_bytes";
  std::filesystem::remove_all(out);
  SynthOptions options{.shape = "smollm2-135m", .out = out, .layers = 1, .seed = 3};
  std::uint64_t last = 0, total = 0;
  options.progress = [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  };
  const auto report = WriteSynthetic(options);
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_EQ(last, total);
  EXPECT_LT(total, report->bytes);  // the header is no tensor
  EXPECT_EQ(report->parameters,
            49152 * 576 + 576 + 2 * 576 + 2 * 576 * 576 + 2 * 192 * 576 + 3 * 1536 * 576);
  last = 0;
  const std::string hash = Sha256OfFile(out + "/model.safetensors").value();
  ASSERT_TRUE(WriteSynthetic(options).ok());
  EXPECT_EQ(Sha256OfFile(out + "/model.safetensors").value(), hash);
  const auto opened = Checkpoint::Open(out);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_TRUE((*opened)->SideFile("tokenizer.json").has_value());
  const auto spec = ParseModelSpec((*opened)->config(), Container::kSafetensors);
  ASSERT_TRUE(spec.ok());
  const TensorPlan plan = MakeTensorPlan(*spec);
  EXPECT_TRUE(CheckTensors(*spec, plan, (*opened)->tensors()).ok());
  // Another model's weights beside these would be read as part of the model.
  std::filesystem::rename(out + "/model.safetensors", out + "/model-00001-of-00002.safetensors");
  EXPECT_EQ(Synth(options).code(), Code::kUsage);
  std::filesystem::remove_all(out);
}

TEST(Synth, WritesGguf) {
  const std::string out = ::testing::TempDir() + "/synth_gguf";
  std::filesystem::remove_all(out);
  const auto report = WriteSynthetic(
      {.shape = "smollm2-135m", .out = out, .format = "q4_0", .gguf = true, .layers = 1});
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_EQ(report->path, out + "/smollm2-135m.q4_0.gguf");
  EXPECT_EQ(std::filesystem::file_size(report->path), report->bytes);
  const auto opened = Checkpoint::Open(report->path);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_EQ((*opened)->tensors().size(), 11u);
  EXPECT_EQ((*opened)->config().Find("tokenizer.ggml.tokens")->items().size(), 49152u);
  const TensorInfo* embedding = (*opened)->Find("token_embd.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->dtype, DType::kQ4_0);
  std::filesystem::remove_all(out);
}

// Rows fit the moduli and keys fit the tokenizer: what the loader checks.
TEST(Synth, EngramTablesFitHashAndTokenizer) {
  SynthOptions options{.shape = "v4.1-flash"};
  options.engram_rows = 10000;
  // 2 layers of real width are gigabytes: the header alone is looked at.
  const ShapeRequest request{options.shape, SynthFormat::kMxfp4, 2, 8, false, {}};
  const auto engram = SynthEngram(options, request);
  ASSERT_TRUE(engram.ok()) << engram.status().ToString();
  ShapeRequest with = request;
  with.engram = *engram;
  const ModelSpec spec = HfSpec(with);
  ASSERT_EQ(spec.engram.layers, std::vector<int>{1});
  EXPECT_NEAR(static_cast<double>(spec.engram.rows.front()), 10000.0, 3000.0);
  EXPECT_TRUE(MakeEngramHashes(spec.engram).ok());
  EXPECT_TRUE(CheckPlanned(spec, SynthFormat::kMxfp4, false).ok());
  EXPECT_GT(spec.engram.compressed_vocabulary, 100000);
}

TEST(SynthTokenizer, HoldsEveryByteOnce) {
  const ModelSpec spec = HfSpec({"v3", SynthFormat::kBf16, 1});
  const SynthVocabulary vocabulary = MakeSynthVocabulary(spec);
  ASSERT_EQ(vocabulary.tokens.size(), 129280u);
  EXPECT_EQ(vocabulary.tokens[0], "<|begin|>");
  EXPECT_EQ(vocabulary.tokens[1], "<|end|>");
  EXPECT_EQ(vocabulary.tokens[2], "\xC4\x80");        // byte 0: U+0100
  EXPECT_EQ(vocabulary.tokens[2 + ' '], "\xC4\xA0");  // U+0120
  EXPECT_EQ(vocabulary.tokens[2 + 'a'], "a");
  EXPECT_EQ(vocabulary.tokens[2 + 255], "\xC3\xBF");  // U+00FF
  EXPECT_EQ(vocabulary.tokens[258], "<filler_258>");
}

// Every byte becomes one token and comes back, through either container.
TEST(SynthTokenizer, RoundTripsText) {
  const std::string text = "caf\xC3\xA9 \t<|end|>\n \xE4\xBD\xA0\xE5\xA5\xBD";
  const ModelSpec spec = HfSpec({"smollm2-135m", SynthFormat::kBf16, 1});
  const SynthVocabulary vocabulary = MakeSynthVocabulary(spec);
  const auto json = ParseJson(SynthTokenizerJson(vocabulary), "t");
  const auto config = ParseJson(SynthTokenizerConfigJson(vocabulary), "t");
  ASSERT_TRUE(json.ok() && config.ok());
  const auto pairs = SynthGgufPairs(spec, "t", SynthFormat::kQ8_0, vocabulary);
  const auto layout = GgufLayout(pairs.value(), {});
  const ByteSpan bytes = std::as_bytes(std::span(layout->header));
  const auto header = ParseGguf(bytes, bytes.size(), "t", nullptr);
  ASSERT_TRUE(header.ok());
  for (const auto& tokenizer : {Tokenizer::FromJson(json->root(), &config->root(), nullptr, "t"),
                                Tokenizer::FromGguf(header->metadata.root(), nullptr, "t")}) {
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    EXPECT_EQ((*tokenizer)->vocabulary(), 49152);
    EXPECT_EQ((*tokenizer)->bos(), 1);
    EXPECT_EQ((*tokenizer)->eos(), 2);
    EXPECT_FALSE((*tokenizer)->add_bos());
    const auto ids = (*tokenizer)->Encode(text, AddedTokenUse::kNone);
    ASSERT_TRUE(ids.ok());
    EXPECT_EQ(ids->size(), text.size());
    EXPECT_EQ((*tokenizer)->Decode(*ids), text);
    EXPECT_EQ((*tokenizer)->TokenBytes(300), "<filler_300>");
  }
}

// What tests of the server run on: found again with its prompt format, small and made at once.
TEST(Synth, TinyModelsChat) {
  for (const char* shape : {"tiny", "tiny-v3"}) {
    const ModelSpec spec = HfSpec({shape});
    const PromptFormat* format = FindPromptFormat(ShapePromptFormat(shape)).value();
    const SynthVocabulary vocabulary = MakeSynthVocabulary(spec, format);
    EXPECT_EQ(std::set(vocabulary.tokens.begin(), vocabulary.tokens.end()).size(),
              vocabulary.tokens.size());
    PromptHints hints;
    hints.where = shape;
    hints.chat_template = vocabulary.chat_template;
    hints.has_token = [&](std::string_view mark) {
      return std::ranges::count(vocabulary.tokens, std::string(mark)) > 0;
    };
    const auto found = DetectPromptFormat(hints);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ((*found)->name, format->name);
    EXPECT_EQ((*found)->tools, ToolSupport::kFull);
    EXPECT_NE((*found)->thinking, Thinking::kNone);
    EXPECT_LT(CountParameters(spec, MakeTensorPlan(spec), spec.tied).total, 2'000'000);
  }
}

}  // namespace
}  // namespace hadal
