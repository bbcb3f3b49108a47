// Configs that must be refused, with a message that names the field.
#include <gtest/gtest.h>

#include "spec/model_spec.h"
#include "spec/spec_test_data.h"

namespace hadal {
namespace {

Status Refusal(const std::string& text, Container container = Container::kSafetensors) {
  const auto document = ParseJson(text, "config.json");
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  const auto spec = ParseModelSpec(document->root(), container);
  EXPECT_FALSE(spec.ok()) << text;
  const Status status = spec.status();
  EXPECT_FALSE(status.where().empty() || status.found().empty() || status.expected().empty() ||
               status.hint().empty())
      << status.ToString();
  return status;
}

struct Case {
  const char* base;
  const char* key;
  const char* value;  // JSON; "" removes the field
  const char* named;  // in the message's place
  Code code = Code::kUnusable;
};

// clang-format off
constexpr Case kCases[] = {
    {"llama-8b", "hidden_size", "", "hidden_size"},
    {"llama-8b", "hidden_size", "0", "hidden_size"},
    {"llama-8b", "hidden_size", "-4096", "hidden_size"},
    {"llama-8b", "hidden_size", "\"4096\"", "hidden_size"},
    {"llama-8b", "hidden_size", "4096.5", "hidden_size"},
    {"llama-8b", "hidden_size", "1e300", "hidden_size"},
    {"llama-8b", "hidden_size", "4097", "num_attention_heads"},
    {"llama-8b", "vocab_size", "9223372036854775807", "vocab_size"},
    {"llama-8b", "vocab_size", "18446744073709551615", "vocab_size"},
    {"llama-8b", "vocab_size", "0", "vocab_size"},
    {"llama-8b", "num_hidden_layers", "10001", "num_hidden_layers"},
    {"llama-8b", "num_hidden_layers", "[32]", "num_hidden_layers"},
    {"llama-8b", "num_attention_heads", "0", "num_attention_heads"},
    {"llama-8b", "num_key_value_heads", "7", "num_key_value_heads"},
    {"llama-8b", "num_key_value_heads", "64", "num_key_value_heads"},
    {"llama-8b", "head_dim", "63", "head_dim"},
    {"llama-8b", "intermediate_size", "-1", "intermediate_size"},
    {"llama-8b", "rms_norm_eps", "-1e-6", "rms_norm_eps"},
    {"llama-8b", "rms_norm_eps", "0", "rms_norm_eps"},
    {"llama-8b", "rope_theta", "0", "rope_theta"},
    {"llama-8b", "rope_theta", "-10000", "rope_theta"},
    {"llama-8b", "max_position_embeddings", "0", "max_position_embeddings"},
    {"llama-8b", "hidden_act", "\"gelu\"", "hidden_act", Code::kUnsupported},
    {"llama-8b", "model_type", "\"gpt_neox\"", "model_type", Code::kUnsupported},
    {"llama-8b", "model_type", "7", "model_type"},
    {"llama-8b", "model_type", "", "model_type"},
    {"llama-8b", "tie_word_embeddings", "1", "tie_word_embeddings"},
    {"llama-8b", "partial_rotary_factor", "0.5", "partial_rotary_factor", Code::kUnsupported},
    {"llama-8b", "num_local_experts", "8", "num_local_experts", Code::kUnsupported},
    {"llama-8b", "rope_scaling", "[1]", "rope_scaling"},
    {"llama-8b", "rope_scaling", "{\"type\":\"dynamic\",\"factor\":2.0}", "rope_scaling.type", Code::kUnsupported},
    {"llama-8b", "rope_scaling", "{\"rope_type\":\"longrope\"}", "rope_scaling.rope_type", Code::kUnsupported},
    {"llama-8b", "rope_scaling", "{\"rope_type\":\"linear\"}", "rope_scaling.factor"},
    {"llama-8b", "rope_scaling", "{\"rope_type\":\"linear\",\"factor\":0.0}", "rope_scaling.factor"},
    {"llama-8b", "rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":1,\"original_max_position_embeddings\":8192}", "rope_scaling.high_freq_factor"},
    {"llama-8b", "rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4,\"beta_fast\":1,\"beta_slow\":32}", "rope_scaling.beta_fast"},
    {"llama-8b", "rope_parameters", "{\"full_attention\":{\"rope_type\":\"default\"}}", "rope_parameters.full_attention", Code::kUnsupported},
    {"qwen-7b", "use_sliding_window", "true", "use_sliding_window", Code::kUnsupported},
    {"qwen-7b", "layer_types", "[\"sliding_attention\"]", "layer_types", Code::kUnsupported},
    {"v3", "kv_lora_rank", "", "kv_lora_rank"},
    {"v3", "kv_lora_rank", "0", "kv_lora_rank"},
    {"v3", "q_lora_rank", "-1", "q_lora_rank"},
    {"v3", "qk_rope_head_dim", "63", "qk_rope_head_dim"},
    {"v3", "v_head_dim", "0", "v_head_dim"},
    {"v3", "n_routed_experts", "100000", "n_routed_experts"},
    {"v3", "n_routed_experts", "250", "n_group"},
    {"v3", "n_routed_experts", "null", "num_nextn_predict_layers", Code::kUnsupported},
    {"v3", "num_experts_per_tok", "257", "num_experts_per_tok"},
    {"v3", "num_experts_per_tok", "0", "num_experts_per_tok"},
    {"v3", "num_experts_per_tok", "200", "topk_group"},
    {"v3", "n_group", "7", "n_group"},
    {"v3", "n_group", "256", "n_group"},
    {"v3", "topk_group", "9", "topk_group"},
    {"v3", "scoring_func", "\"tanh\"", "scoring_func", Code::kUnsupported},
    {"v3", "topk_method", "\"random\"", "topk_method", Code::kUnsupported},
    {"v3", "routed_scaling_factor", "\"2.5\"", "routed_scaling_factor"},
    {"v3", "first_k_dense_replace", "-1", "first_k_dense_replace"},
    {"v3", "moe_layer_freq", "0", "moe_layer_freq"},
    {"v3", "num_nextn_predict_layers", "1000", "num_nextn_predict_layers"},
    {"v3", "quantization_config", "7", "quantization_config"},
    {"v3", "quantization_config", "{\"quant_method\":\"gptq\",\"bits\":4}", "quantization_config.quant_method", Code::kUnsupported},
    {"v3", "quantization_config", "{\"quant_method\":\"awq\"}", "quantization_config.quant_method", Code::kUnsupported},
    {"v3", "quantization_config", "{\"quant_method\":\"bitsandbytes\"}", "quantization_config.quant_method", Code::kUnsupported},
    {"v3", "quantization_config", "{\"quant_method\":\"modelopt\",\"quant_algo\":\"FP8\"}", "quantization_config.quant_method", Code::kUnsupported},
    {"v2-lite", "quantization", "{\"group_size\":64,\"bits\":4}", "quantization", Code::kUnsupported},
    {"v3", "quantization_config", "{\"quant_method\":\"fp8\"}", "quantization_config.weight_block_size", Code::kUnsupported},
    {"v3", "quantization_config", "{\"quant_method\":\"fp8\",\"weight_block_size\":[128,64]}", "quantization_config.weight_block_size"},
    {"v3", "quantization_config", "{\"quant_method\":\"fp8\",\"weight_block_size\":[0,0]}", "quantization_config.weight_block_size"},
    {"v3", "quantization_config", "{\"quant_method\":\"fp8\",\"fmt\":\"e5m2\",\"weight_block_size\":[128,128]}", "quantization_config.fmt", Code::kUnsupported},
    {"kimi-k2", "quantization_config", "{\"quant_method\":\"compressed-tensors\",\"format\":\"pack-quantized\"}", "quantization_config.quant_method", Code::kUnsupported},
    {"v3.2", "index_n_heads", "", "index_n_heads"},
    {"v3.2", "index_topk", "0", "index_topk"},
    {"v3.2", "q_lora_rank", "null", "q_lora_rank"},
    {"v4-flash", "compress_ratios", "[0,4]", "compress_ratios"},
    {"v4-flash", "compress_ratios", "", "compress_ratios"},
    {"v4-flash", "compress_ratios", "[3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3]", "compress_ratios", Code::kUnsupported},
    {"v4-flash", "compress_rope_theta", "", "compress_rope_theta"},
    {"v4-flash", "o_groups", "7", "o_groups"},
    {"v4-flash", "hc_mult", "0", "hc_mult"},
    {"v4-flash", "scoring_func", "\"sigmoid\"", "scoring_func", Code::kUnsupported},
    {"v4-flash", "qk_rope_head_dim", "1024", "qk_rope_head_dim"},
};
// clang-format on

TEST(ConfigErrors, NameTheField) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(std::string(test.base) + " with " + test.key + " = " + test.value);
    const Status status = Refusal(WithField(PublishedConfig(test.base), test.key, test.value));
    EXPECT_EQ(status.where(), std::string("config.json: ") + test.named);
    EXPECT_EQ(status.code(), test.code) << status.ToString();
    EXPECT_FALSE(status.found().empty());
    EXPECT_FALSE(status.expected().empty());
  }
}

TEST(ConfigErrors, NotAnObject) {
  EXPECT_EQ(Refusal("[1, 2]").where(), "config.json");
  EXPECT_EQ(Refusal("{}").where(), "config.json: model_type");
}

TEST(ConfigErrors, Cve2024_39720_GgufNamesItsOwnKeys) {
  EXPECT_EQ(Refusal("{}", Container::kGguf).where(), "general.architecture");
  const Status unknown = Refusal(R"({"general.architecture":"bert"})", Container::kGguf);
  EXPECT_EQ(unknown.code(), Code::kUnsupported);
  EXPECT_NE(unknown.found().find("bert"), std::string::npos);
  const std::string partial = R"({"general.architecture":"llama","llama.embedding_length":64,
      "llama.vocab_size":10,"llama.context_length":8})";
  EXPECT_EQ(Refusal(partial, Container::kGguf).where(), "llama.block_count");
}

TEST(ConfigErrors, KimiThinkingByName) {
  const Status status =
      Refusal(WithField(PublishedConfig("kimi-k2"), "quantization_config",
                        R"({"quant_method":"compressed-tensors","format":"pack-quantized"})"));
  EXPECT_NE(status.hint().find("Kimi-K2-Thinking"), std::string::npos);
  EXPECT_NE(status.found().find("pack-quantized"), std::string::npos);
}

}  // namespace
}  // namespace hadal
