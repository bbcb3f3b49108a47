// The numbers of the published shapes; sources in shapes.h. Internal to `quant`.
#pragma once

#include <cstdint>
#include <string_view>

#include "quant/shapes.h"

namespace hadal {

// Multi-head latent attention and a mixture of experts. The defaults are V3's.
struct LatentShape {
  std::string_view name = "v3";
  std::string_view model_type = "deepseek_v3", architecture = "DeepseekV3ForCausalLM";
  std::int64_t hidden = 7168, layers = 61, heads = 128, ffn_width = 18432, expert_width = 2048;
  std::int64_t experts = 256, shared_experts = 1, experts_per_token = 8, dense_layers = 3;
  std::int64_t groups = 8, groups_kept = 4;
  std::string_view selection = "noaux_tc", score = "sigmoid";
  bool normalise = true;
  double factor = 2.5;
  std::int64_t q_rank = 1536;  // 0: null
  std::int64_t theta = 10000;
  std::int64_t yarn_factor = 40;  // 0: no scaling
  std::int64_t beta_fast = 32;
  double mscale = 1.0;
  std::int64_t context = 163840, vocabulary = 129280, bos = 0, eos = 1;
  double epsilon = 1e-6;
  bool draft = true, sparse = false;
  SynthFormat format = SynthFormat::kFp8;
  bool power_of_two = false;  // scale_fmt ue8m0
  std::string_view prompt_format = {};
};

// clang-format off
inline constexpr LatentShape kV2Lite = {
    .name = "v2-lite", .model_type = "deepseek_v2", .architecture = "DeepseekV2ForCausalLM",
    .hidden = 2048, .layers = 27, .heads = 16, .ffn_width = 10944, .expert_width = 1408,
    .experts = 64, .shared_experts = 2, .experts_per_token = 6, .dense_layers = 1,
    .groups = 1, .groups_kept = 1, .selection = "greedy", .score = "softmax",
    .normalise = false, .factor = 1.0, .q_rank = 0, .mscale = 0.707,
    .vocabulary = 102400, .bos = 100000, .eos = 100001, .draft = false,
    .format = SynthFormat::kBf16};
inline constexpr LatentShape kV2 = {
    .name = "v2", .model_type = "deepseek_v2", .architecture = "DeepseekV2ForCausalLM",
    .hidden = 5120, .layers = 60, .ffn_width = 12288, .expert_width = 1536,
    .experts = 160, .shared_experts = 2, .experts_per_token = 6, .dense_layers = 1,
    .groups_kept = 3, .selection = "group_limited_greedy", .score = "softmax",
    .normalise = false, .factor = 16.0, .mscale = 0.707,
    .vocabulary = 102400, .bos = 100000, .eos = 100001, .draft = false,
    .format = SynthFormat::kBf16};
inline constexpr LatentShape kV3;
inline constexpr LatentShape kV31 = {.name = "v3.1", .power_of_two = true};
inline constexpr LatentShape kV32 = {
    .name = "v3.2", .model_type = "deepseek_v32", .architecture = "DeepseekV32ForCausalLM",
    .sparse = true, .power_of_two = true};
inline constexpr LatentShape kKimiK2 = {
    .name = "kimi-k2", .model_type = "kimi_k2",
    .heads = 64, .experts = 384, .dense_layers = 1, .groups = 1, .groups_kept = 1, .factor = 2.827,
    .theta = 50000, .yarn_factor = 32, .beta_fast = 1,
    .context = 131072, .vocabulary = 163840, .bos = 163584, .eos = 163585, .draft = false};
inline constexpr LatentShape kMoonlight = {
    .name = "moonlight",
    .hidden = 2048, .layers = 27, .heads = 16, .ffn_width = 11264, .expert_width = 1408,
    .experts = 64, .shared_experts = 2, .experts_per_token = 6, .dense_layers = 1,
    .groups = 1, .groups_kept = 1, .factor = 2.446, .q_rank = 0, .theta = 50000, .yarn_factor = 0,
    .context = 8192, .vocabulary = 163840, .bos = 163584, .eos = 163585, .epsilon = 1e-5,
    .draft = false, .format = SynthFormat::kBf16};
inline constexpr LatentShape kTinyV3 = {
    .name = "tiny-v3",
    .hidden = 64, .layers = 4, .heads = 2, .ffn_width = 128, .expert_width = 32,
    .experts = 8, .experts_per_token = 2, .dense_layers = 1, .groups = 2, .groups_kept = 1,
    .q_rank = 32, .yarn_factor = 0, .context = 8192, .vocabulary = 264,
    .draft = false, .format = SynthFormat::kBf16, .prompt_format = "v31_vllm_tools"};
// clang-format on
inline constexpr LatentShape kLatentShapes[] = {kV2Lite, kV2,     kV3,        kV31,
                                                kV32,    kKimiK2, kMoonlight, kTinyV3};

// Grouped-query attention and one dense feed-forward network a layer.
struct GroupedShape {
  std::string_view name;
  bool qwen2;  // else llama
  std::int64_t hidden, ffn_width, layers, heads, kv_heads, vocabulary, theta;
  double epsilon;
  bool tied, llama3_scaling;
  std::int64_t context, bos, eos;
  std::string_view prompt_format = {};
};

// clang-format off
inline constexpr GroupedShape kGroupedShapes[] = {
    {"qwen2-1.5b", true, 1536, 8960, 28, 12, 2, 151936, 1000000,
     1e-6, true, false, 32768, 151643, 151645},
    {"qwen2.5-7b", true, 3584, 18944, 28, 28, 4, 152064, 1000000,
     1e-6, false, false, 32768, 151643, 151645},
    {"r1-distill-qwen-1.5b", true, 1536, 8960, 28, 12, 2, 151936, 10000,
     1e-6, false, false, 131072, 151643, 151643},
    {"r1-distill-qwen-7b", true, 3584, 18944, 28, 28, 4, 152064, 10000,
     1e-6, false, false, 131072, 151643, 151643},
    {"r1-distill-qwen-14b", true, 5120, 13824, 48, 40, 8, 152064, 1000000,
     1e-5, false, false, 131072, 151643, 151643},
    {"r1-distill-qwen-32b", true, 5120, 27648, 64, 40, 8, 152064, 1000000,
     1e-5, false, false, 131072, 151643, 151643},
    {"llama-8b", false, 4096, 14336, 32, 32, 8, 128256, 500000,
     1e-5, false, true, 131072, 128000, 128001},
    {"llama-70b", false, 8192, 28672, 80, 64, 8, 128256, 500000,
     1e-5, false, true, 131072, 128000, 128001},
    {"smollm2-135m", false, 576, 1536, 30, 9, 3, 49152, 100000, 1e-5, true, false, 8192, 1, 2},
    {"smollm2-360m", false, 960, 2560, 32, 15, 5, 49152, 100000, 1e-5, true, false, 8192, 1, 2},
    {"smollm2-1.7b", false, 2048, 8192, 24, 32, 32, 49152, 130000, 1e-5, true, false, 8192, 1, 2},
    {"tiny", false, 64, 192, 4, 4, 2, 260, 10000, 1e-5, true, false, 8192, 0, 1, "qwen3"},
};
// clang-format on

}  // namespace hadal
