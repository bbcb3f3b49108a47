#include "quant/synth_gguf.h"

#include <algorithm>

namespace hadal {
namespace {

// llama.cpp's numbers of whole-file formats (llama.h, enum llama_ftype).
std::uint32_t FileType(SynthFormat format) {
  switch (format) {
    case SynthFormat::kQ4_0:
      return 2;
    case SynthFormat::kQ8_0:
      return 7;
    case SynthFormat::kMxfp4:
      return 38;
    default:
      return 32;  // BF16
  }
}

class HeaderWriter {
 public:
  HeaderWriter(GgufPairs* pairs, std::string prefix) : pairs_(pairs), prefix_(std::move(prefix)) {}
  void Integer(const char* key, std::int64_t value) {
    pairs_->U32(prefix_ + key, static_cast<std::uint32_t>(value));
  }
  void Real(const char* key, double value) {
    pairs_->F32(prefix_ + key, static_cast<float>(value));
  }
  void Text(const char* key, std::string_view value) { pairs_->String(prefix_ + key, value); }
  void Flag(const char* key, bool value) { pairs_->Bool(prefix_ + key, value); }

 private:
  GgufPairs* pairs_;
  std::string prefix_;
};

void WriteCommon(const ModelSpec& spec, HeaderWriter* out) {
  out->Integer("block_count", spec.layer_count());
  out->Integer("context_length", spec.context);
  out->Integer("embedding_length", spec.hidden);
  out->Integer("feed_forward_length", spec.ffn_width);
  out->Integer("attention.head_count", spec.attention.heads);
  out->Integer("attention.head_count_kv", spec.attention.kv_heads);
  out->Real("attention.layer_norm_rms_epsilon", static_cast<double>(spec.norm_epsilon));
  out->Real("rope.freq_base", spec.ropes[0].theta);
  out->Integer("rope.dimension_count", spec.ropes[0].width);
  out->Integer("vocab_size", spec.vocabulary);
}

void WriteYarn(const RopeSpec& rope, HeaderWriter* out) {
  if (rope.scaling != RopeScaling::kYarn) return;
  constexpr double kLogMultiplierUnit = 0.1;  // YaRN's magnitude is 0.1 * mscale * ln(factor) + 1
  out->Text("rope.scaling.type", "yarn");
  out->Real("rope.scaling.factor", rope.factor);
  out->Integer("rope.scaling.original_context_length",
               static_cast<std::int64_t>(rope.original_context));
  out->Real("rope.scaling.yarn_beta_fast", rope.beta_fast);
  out->Real("rope.scaling.yarn_beta_slow", rope.beta_slow);
  out->Real("rope.scaling.yarn_log_multiplier", kLogMultiplierUnit * rope.mscale_all_dim);
}

// Keys and values as the absorbed form caches them; the model's own head widths beside them.
void WriteLatent(const ModelSpec& spec, HeaderWriter* out) {
  const AttentionSpec& attention = spec.attention;
  if (attention.q_rank > 0) out->Integer("attention.q_lora_rank", attention.q_rank);
  out->Integer("attention.kv_lora_rank", attention.kv_rank);
  out->Integer("attention.key_length", attention.kv_rank + attention.rope_dim);
  out->Integer("attention.value_length", attention.kv_rank);
  out->Integer("attention.key_length_mla", attention.head_dim);
  out->Integer("attention.value_length_mla", attention.value_dim);
}

void WriteMixture(const ModelSpec& spec, HeaderWriter* out) {
  const MixtureSpec& mixture = spec.mixture;
  const auto dense = std::count_if(spec.layers.begin(), spec.layers.end(),
                                   [](const LayerSpec& l) { return l.ffn == FfnKind::kDense; });
  constexpr std::int64_t kSoftmax = 1, kSigmoid = 2;
  out->Integer("leading_dense_block_count", dense);
  out->Integer("expert_count", mixture.experts);
  out->Integer("expert_used_count", mixture.experts_per_token);
  out->Integer("expert_shared_count", mixture.shared_experts);
  out->Integer("expert_feed_forward_length", mixture.width);
  out->Integer("expert_group_count", mixture.group_count);
  out->Integer("expert_group_used_count", mixture.groups_kept);
  out->Integer("expert_gating_func", mixture.score == ExpertScore::kSigmoid ? kSigmoid : kSoftmax);
  out->Real("expert_weights_scale", static_cast<double>(mixture.factor));
  out->Flag("expert_weights_norm", mixture.normalise);
}

void WriteTokenizer(const ModelSpec& spec, const SynthVocabulary& vocabulary, GgufPairs* pairs) {
  constexpr std::int32_t kNormalToken = 1, kControlToken = 3;
  std::vector<std::int32_t> types(vocabulary.tokens.size(), kNormalToken);
  for (const std::int64_t id : vocabulary.special)
    types[static_cast<std::size_t>(id)] = kControlToken;
  pairs->String("tokenizer.ggml.model", "gpt2");
  pairs->String("tokenizer.ggml.pre", "gpt-2");
  pairs->Strings("tokenizer.ggml.tokens", vocabulary.tokens);
  pairs->I32s("tokenizer.ggml.token_type", types);
  pairs->Strings("tokenizer.ggml.merges", {});
  if (spec.bos >= 0)
    pairs->U32("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(spec.bos));
  if (!spec.eos.empty())
    pairs->U32("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(spec.eos.front()));
  pairs->Bool("tokenizer.ggml.add_bos_token", false);
  if (!vocabulary.chat_template.empty())
    pairs->String("tokenizer.chat_template", vocabulary.chat_template);
}

}  // namespace

Result<GgufPairs> SynthGgufPairs(const ModelSpec& spec, const std::string& name, SynthFormat format,
                                 const SynthVocabulary& vocabulary) {
  const bool grouped = spec.layers[0].attention == AttentionKind::kGrouped;
  if (!grouped && spec.layers[0].attention != AttentionKind::kLatent)
    return UsageError("--gguf", name, "a llama, qwen2, V2 or V3 form: others have no GGUF form",
                      "leave --gguf out, or choose another shape");
  const std::string architecture = grouped ? spec.model_type : "deepseek2";
  GgufPairs pairs;
  pairs.String("general.architecture", architecture);
  pairs.String("general.type", "model");
  pairs.String("general.name", name);
  pairs.U32("general.quantization_version", 2);
  pairs.U32("general.file_type", FileType(format));
  HeaderWriter out(&pairs, architecture + ".");
  WriteCommon(spec, &out);
  WriteYarn(spec.ropes[0], &out);
  if (!grouped) {
    WriteLatent(spec, &out);
    WriteMixture(spec, &out);
  }
  WriteTokenizer(spec, vocabulary, &pairs);
  return pairs;
}

std::vector<float> RopeDivisors(const ModelSpec& spec) {
  const RopeSpec& scaled = spec.ropes[0];
  if (scaled.scaling != RopeScaling::kLlama3) return {};
  RopeSpec plain = scaled;
  plain.scaling = RopeScaling::kNone;
  Derive(&plain, /*latent_attention=*/false);
  std::vector<float> divisors;
  for (std::size_t i = 0; i < plain.frequencies.size(); ++i)
    divisors.push_back(plain.frequencies[i] / scaled.frequencies[i]);
  return divisors;
}

}  // namespace hadal
