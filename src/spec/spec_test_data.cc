#include "spec/spec_test_data.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/bytes.h"
#include "base/file.h"

namespace hadal {
namespace {

// The fields that all DeepSeek configs with latent attention share.
constexpr std::string_view kLatent =
    R"("hidden_act":"silu","kv_lora_rank":512,"qk_nope_head_dim":128,"qk_rope_head_dim":64,
    "v_head_dim":128,"moe_layer_freq":1,"tie_word_embeddings":false)";
constexpr std::string_view kFp8 =
    R"("quantization_config":{"quant_method":"fp8","fmt":"e4m3","activation_scheme":"dynamic",
    "weight_block_size":[128,128])";

std::string Yarn(std::string_view factor, std::string_view mscale, std::string_view fast = "32") {
  return fmt::format(
      R"("rope_scaling":{{"type":"yarn","factor":{},"original_max_position_embeddings":4096,
      "beta_fast":{},"beta_slow":1,"mscale":{},"mscale_all_dim":{}}})",
      factor, fast, mscale, mscale);
}

std::string V2Lite() {
  return fmt::format(
      R"({{"model_type":"deepseek_v2","architectures":["DeepseekV2ForCausalLM"],"hidden_size":2048,
      "num_hidden_layers":27,"num_attention_heads":16,"intermediate_size":10944,
      "moe_intermediate_size":1408,"n_routed_experts":64,"n_shared_experts":2,
      "num_experts_per_tok":6,"first_k_dense_replace":1,"n_group":1,"topk_group":1,
      "topk_method":"greedy","scoring_func":"softmax","norm_topk_prob":false,
      "routed_scaling_factor":1.0,"q_lora_rank":null,"rope_theta":10000,
      "max_position_embeddings":163840,"rms_norm_eps":1e-6,"vocab_size":102400,
      "bos_token_id":100000,"eos_token_id":100001,{},{}}})",
      kLatent, Yarn("40", "0.707"));
}

std::string V2() {
  return fmt::format(
      R"({{"model_type":"deepseek_v2","hidden_size":5120,"num_hidden_layers":60,
      "num_attention_heads":128,"intermediate_size":12288,"moe_intermediate_size":1536,
      "n_routed_experts":160,"n_shared_experts":2,"num_experts_per_tok":6,
      "first_k_dense_replace":1,"n_group":8,"topk_group":3,"topk_method":"group_limited_greedy",
      "scoring_func":"softmax","norm_topk_prob":false,"routed_scaling_factor":16.0,
      "q_lora_rank":1536,"rope_theta":10000,"max_position_embeddings":163840,"rms_norm_eps":1e-6,
      "vocab_size":102400,"bos_token_id":100000,"eos_token_id":100001,{},{}}})",
      kLatent, Yarn("40", "0.707"));
}

std::string V3Form(std::string_view head) {
  return fmt::format(
      R"({{{},"hidden_size":7168,"num_hidden_layers":61,"num_attention_heads":128,
      "intermediate_size":18432,"moe_intermediate_size":2048,"n_routed_experts":256,
      "n_shared_experts":1,"num_experts_per_tok":8,"first_k_dense_replace":3,"n_group":8,
      "topk_group":4,"topk_method":"noaux_tc","scoring_func":"sigmoid","norm_topk_prob":true,
      "routed_scaling_factor":2.5,"q_lora_rank":1536,"rope_theta":10000,
      "max_position_embeddings":163840,"rms_norm_eps":1e-6,"vocab_size":129280,"bos_token_id":0,
      "eos_token_id":1,"num_nextn_predict_layers":1,{},{}}})",
      head, kLatent, Yarn("40", "1.0"));
}

std::string V3() { return V3Form(fmt::format(R"("model_type":"deepseek_v3",{}}})", kFp8)); }

std::string V32() {
  return V3Form(fmt::format(
      R"("model_type":"deepseek_v32","index_n_heads":64,"index_head_dim":128,"index_topk":2048,
      {},"scale_fmt":"ue8m0"}})",
      kFp8));
}

std::string Moonlight() {
  return fmt::format(
      R"({{"model_type":"deepseek_v3","hidden_size":2048,"num_hidden_layers":27,
      "num_attention_heads":16,"intermediate_size":11264,"moe_intermediate_size":1408,
      "n_routed_experts":64,"n_shared_experts":2,"num_experts_per_tok":6,
      "first_k_dense_replace":1,"n_group":1,"topk_group":1,"topk_method":"noaux_tc",
      "scoring_func":"sigmoid","norm_topk_prob":true,"routed_scaling_factor":2.446,
      "q_lora_rank":null,"rope_theta":50000.0,"max_position_embeddings":8192,
      "rms_norm_eps":1e-5,"vocab_size":163840,"bos_token_id":163584,"eos_token_id":163585,
      "num_nextn_predict_layers":0,"rope_scaling":null,{}}})",
      kLatent);
}

std::string KimiK2() {
  return fmt::format(
      R"({{"model_type":"kimi_k2","architectures":["DeepseekV3ForCausalLM"],"hidden_size":7168,
      "num_hidden_layers":61,"num_attention_heads":64,"intermediate_size":18432,
      "moe_intermediate_size":2048,"n_routed_experts":384,"n_shared_experts":1,
      "num_experts_per_tok":8,"first_k_dense_replace":1,"n_group":1,"topk_group":1,
      "topk_method":"noaux_tc","scoring_func":"sigmoid","norm_topk_prob":true,
      "routed_scaling_factor":2.827,"q_lora_rank":1536,"rope_theta":50000.0,
      "max_position_embeddings":131072,"rms_norm_eps":1e-6,"vocab_size":163840,
      "bos_token_id":163584,"eos_token_id":163585,"num_nextn_predict_layers":0,{},{},{}}}}})",
      kLatent, Yarn("32", "1.0", "1"), kFp8);
}

std::string Repeated(std::string_view pair, int repeat) {
  std::string text;
  for (int i = 0; i < repeat; ++i) text += fmt::format("{},", pair);
  return text;
}

// `repeat` times two ratios between what comes before and after.
std::string Ratios(std::string_view before, int repeat, std::string_view pair,
                   std::string_view after) {
  return fmt::format(R"("compress_ratios":[{},{}{}])", before, Repeated(pair, repeat), after);
}

constexpr std::string_view kV4Common =
    R"("num_key_value_heads":1,"head_dim":512,"qk_rope_head_dim":64,"o_lora_rank":1024,
    "sliding_window":128,"compress_rope_theta":160000,"rope_theta":10000,"index_head_dim":128,
    "n_shared_experts":1,"num_experts_per_tok":6,"scoring_func":"sqrtsoftplus",
    "topk_method":"noaux_tc","norm_topk_prob":true,"swiglu_limit":10.0,"hc_mult":4,
    "hc_sinkhorn_iters":20,"hc_eps":1e-6,"max_position_embeddings":1048576,"vocab_size":129280,
    "hidden_act":"silu","tie_word_embeddings":false,
    "rope_scaling":{"type":"yarn","factor":16,"original_max_position_embeddings":65536,
    "beta_fast":32,"beta_slow":1})";

std::string V4Flash() {
  return fmt::format(
      R"({{"model_type":"deepseek_v4","hidden_size":4096,"num_hidden_layers":43,
      "num_attention_heads":64,"q_lora_rank":1024,"o_groups":8,"index_n_heads":64,
      "index_topk":512,"n_routed_experts":256,"moe_intermediate_size":2048,"num_hash_layers":3,
      "routed_scaling_factor":1.5,"rms_norm_eps":1e-6,"num_nextn_predict_layers":1,
      "bos_token_id":0,"eos_token_id":1,{},{},{},"scale_fmt":"ue8m0"}}}})",
      kV4Common, Ratios("0,0", 20, "4,128", "4,0"), kFp8);
}

std::string V4Pro() {
  return fmt::format(
      R"({{"model_type":"deepseek_v4","hidden_size":7168,"num_hidden_layers":61,
      "num_attention_heads":128,"q_lora_rank":1536,"o_groups":16,"index_n_heads":64,
      "index_topk":1024,"n_routed_experts":384,"moe_intermediate_size":3072,"num_hash_layers":3,
      "routed_scaling_factor":2.5,"rms_norm_eps":1e-6,"num_nextn_predict_layers":1,
      "expert_dtype":"fp4","bos_token_id":0,"eos_token_id":1,{},{},{},"scale_fmt":"ue8m0"}}}})",
      kV4Common, Ratios("128,128", 29, "4,128", "4,0"), kFp8);
}

std::string V41Flash() {
  return fmt::format(
      R"({{"architectures":["DeepseekV41ForCausalLM"],"model_type":"deepseek_v41",
      "bos_token_id":0,"eos_token_id":1,"pad_token_id":2,"image_token_id":129264,
      "quantization_config":{{"quant_method":"fp8","activation_scheme":"dynamic",
      "weight_block_size":[32,32],"scale_fmt":"ue8m0","expert_dtype":"fp4"}},
      "text_config":{{"model_type":"deepseek_v41_text","hidden_size":5120,
      "num_hidden_layers":40,"num_attention_heads":64,"q_lora_rank":1280,"o_groups":8,
      "moe_intermediate_size":2304,"n_routed_experts":384,"routed_scaling_factor":1.5,
      "rms_norm_eps":1e-20,"kv_source_layer_ids":[2,8,14,20],
      "index_source_layer_ids":[2,8,14,20,24,28,32,36],"index_n_heads":32,"index_topk":512,
      "candidate_source_layer_id":20,"candidate_topk_blocks":2048,"candidate_block_size":8,
      "engram_layer_ids":[1,14],"engram_num_embeddings":[384006168,384016682],
      "engram_max_ngram_size":4,"engram_vocab_size":16000000,"engram_n_heads":8,
      "engram_head_dim":256,"engram_pad_token_id":2,"engram_compressed_vocab_size":99092,
      "num_nextn_predict_layers":3,"dspark_block_size":5,"dspark_noise_token_id":128799,
      "dspark_target_layer_ids":[37,38,39],"dspark_markov_rank":256,
      "dspark_n_routed_experts":128,"dspark_num_experts_per_tok":3,{},{}}}}})",
      kV4Common, Ratios("0,0", 9, "2,2", Repeated("1,1", 10) + "0,0,0"));
}

std::string Grouped(std::string_view type, int hidden, int width, int layers, int heads, int kv,
                    int vocabulary, std::string_view theta, std::string_view more) {
  return fmt::format(
      R"({{"model_type":"{}","hidden_size":{},"intermediate_size":{},"num_hidden_layers":{},
      "num_attention_heads":{},"num_key_value_heads":{},"vocab_size":{},"rope_theta":{},
      "hidden_act":"silu","rms_norm_eps":1e-6,"max_position_embeddings":131072,{}}})",
      type, hidden, width, layers, heads, kv, vocabulary, theta, more);
}

constexpr std::string_view kUntied = R"("tie_word_embeddings":false)";
constexpr std::string_view kTied = R"("tie_word_embeddings":true)";
constexpr std::string_view kLlama3 =
    R"("tie_word_embeddings":false,"rope_scaling":{"rope_type":"llama3","factor":8.0,
    "low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192})";

}  // namespace

std::string PublishedConfig(std::string_view name) {
  const std::map<std::string_view, std::string> table = {
      {"v2-lite", V2Lite()},
      {"v2", V2()},
      {"v3", V3()},
      {"v3.2", V32()},
      {"moonlight", Moonlight()},
      {"kimi-k2", KimiK2()},
      {"v4-flash", V4Flash()},
      {"v4-pro", V4Pro()},
      {"v4.1-flash", V41Flash()},
      {"qwen-1.5b", Grouped("qwen2", 1536, 8960, 28, 12, 2, 151936, "10000", kUntied)},
      {"qwen-7b", Grouped("qwen2", 3584, 18944, 28, 28, 4, 152064, "10000", kUntied)},
      {"qwen-14b", Grouped("qwen2", 5120, 13824, 48, 40, 8, 152064, "1e6", kUntied)},
      {"qwen-32b", Grouped("qwen2", 5120, 27648, 64, 40, 8, 152064, "1e6", kUntied)},
      {"llama-8b", Grouped("llama", 4096, 14336, 32, 32, 8, 128256, "5e5", kLlama3)},
      {"llama-70b", Grouped("llama", 8192, 28672, 80, 64, 8, 128256, "5e5", kLlama3)},
      {"smollm2-135m", Grouped("llama", 576, 1536, 30, 9, 3, 49152, "1e5", kTied)},
      {"smollm2-360m", Grouped("llama", 960, 2560, 32, 15, 5, 49152, "1e5", kTied)},
      {"smollm2-1.7b", Grouped("llama", 2048, 8192, 24, 32, 32, 49152, "1.3e5", kTied)},
  };
  return table.at(name);
}

ModelSpec SpecOf(const std::string& config_text) {
  const auto document = ParseJson(config_text, "config.json");
  EXPECT_TRUE(document.ok()) << document.status().ToString() << config_text;
  if (!document.ok()) return {};
  const auto spec = ParseModelSpec(document->root(), Container::kSafetensors);
  EXPECT_TRUE(spec.ok()) << spec.status().ToString();
  return spec.ok() ? *spec : ModelSpec{};
}

std::string WithField(const std::string& text, std::string_view key, std::string_view json) {
  const auto document = ParseJson(text, "config.json");
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  std::string out = "{";
  for (const Metadata::Member& member : document->root().members()) {
    if (member.key == key) continue;
    out += fmt::format("\"{}\":{},", member.key, WriteJson(member.value));
  }
  if (!json.empty()) return out + fmt::format("\"{}\":{}}}", key, json);
  out.back() = '}';
  return out;
}

std::string ConfigOf(const std::string& folder) {
  const auto text = ReadFile(folder + "/config.json");
  EXPECT_TRUE(text.ok()) << text.status().ToString();
  return text.ok() ? *text : "{}";
}

std::vector<TensorInfo> TensorsOf(const std::string& folder) {
  std::vector<TensorInfo> tensors;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(".safetensors") || file.starts_with("expected")) continue;
    const auto bytes = ReadFile(entry.path().string());
    EXPECT_TRUE(bytes.ok());
    const auto length = LoadUnaligned<std::uint64_t>(bytes->data());
    const auto header = ParseJson(std::string_view(*bytes).substr(8, length), file);
    EXPECT_TRUE(header.ok());
    for (const Metadata::Member& member : header->root().members()) {
      if (member.key == "__metadata__") continue;
      TensorInfo tensor;
      tensor.name = member.key;
      tensor.dtype = DTypeByName(*member.value.Find("dtype")->string()).value();
      for (const Metadata& extent : member.value.Find("shape")->items())
        tensor.shape.push_back(*extent.integer());
      tensors.push_back(std::move(tensor));
    }
  }
  return tensors;
}

}  // namespace hadal
