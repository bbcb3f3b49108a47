#include "quant/shapes.h"

#include <algorithm>
#include <array>

#include "quant/config_fields.h"
#include "quant/shape_tables.h"

namespace hadal {
namespace {

// What a vendor's config says of the weights; nothing for BF16 and for the formats of GGUF.
void AddQuantization(ConfigFields* fields, SynthFormat format, bool power_of_two) {
  if (format == SynthFormat::kNvfp4) {
    ConfigFields quantization;
    quantization.Text("quant_method", "modelopt").Text("quant_algo", "NVFP4");
    fields->Put("quantization_config", quantization.Take());
  }
  if (format == SynthFormat::kMxfp4) fields->Text("expert_dtype", "fp4");
  if (format != SynthFormat::kFp8 && format != SynthFormat::kMxfp4) return;
  constexpr std::int64_t kBlock = 128;
  ConfigFields quantization;
  quantization.Text("activation_scheme", "dynamic").Text("fmt", "e4m3").Text("quant_method", "fp8");
  if (power_of_two) quantization.Text("scale_fmt", "ue8m0");
  quantization.Put("weight_block_size",
                   Metadata(Metadata::Array{Metadata(kBlock), Metadata(kBlock)}));
  fields->Put("quantization_config", quantization.Take());
}

void AddYarn(ConfigFields* fields, const LatentShape& shape) {
  if (shape.yarn_factor == 0) {
    fields->Null("rope_scaling");
    return;
  }
  ConfigFields scaling;
  scaling.Text("type", "yarn")
      .Integer("factor", shape.yarn_factor)
      .Integer("original_max_position_embeddings", 4096)
      .Integer("beta_fast", shape.beta_fast)
      .Integer("beta_slow", 1)
      .Real("mscale", shape.mscale)
      .Real("mscale_all_dim", shape.mscale);
  fields->Put("rope_scaling", scaling.Take());
}

void AddExperts(ConfigFields* fields, const LatentShape& shape, std::int64_t experts) {
  fields->Integer("n_routed_experts", experts)
      .Integer("n_shared_experts", shape.shared_experts)
      .Integer("num_experts_per_tok", shape.experts_per_token)
      .Integer("moe_intermediate_size", shape.expert_width)
      .Integer("moe_layer_freq", 1)
      .Integer("first_k_dense_replace", shape.dense_layers)
      .Integer("n_group", shape.groups)
      .Integer("topk_group", shape.groups_kept)
      .Text("topk_method", shape.selection)
      .Text("scoring_func", shape.score)
      .Flag("norm_topk_prob", shape.normalise)
      .Real("routed_scaling_factor", shape.factor);
}

MetadataDocument LatentConfig(const LatentShape& shape, const ShapeRequest& request) {
  ConfigFields fields = StartConfig(shape.model_type, shape.architecture);
  fields.Integer("hidden_size", shape.hidden)
      .Integer("num_hidden_layers", request.layers != 0 ? request.layers : shape.layers)
      .Integer("num_nextn_predict_layers", request.draft ? 1 : 0)
      .Integer("num_attention_heads", shape.heads)
      .Integer("num_key_value_heads", shape.heads)
      .Integer("intermediate_size", shape.ffn_width);
  if (shape.q_rank != 0)
    fields.Integer("q_lora_rank", shape.q_rank);
  else
    fields.Null("q_lora_rank");
  fields.Integer("kv_lora_rank", 512)
      .Integer("qk_nope_head_dim", 128)
      .Integer("qk_rope_head_dim", 64)
      .Integer("v_head_dim", 128)
      .Flag("attention_bias", false);
  if (shape.sparse)
    fields.Integer("index_n_heads", 64).Integer("index_head_dim", 128).Integer("index_topk", 2048);
  AddExperts(&fields, shape, request.experts != 0 ? request.experts : shape.experts);
  fields.Integer("rope_theta", shape.theta);
  AddYarn(&fields, shape);
  fields.Integer("max_position_embeddings", shape.context)
      .Real("rms_norm_eps", shape.epsilon)
      .Integer("vocab_size", shape.vocabulary)
      .Flag("tie_word_embeddings", false)
      .Integer("bos_token_id", shape.bos)
      .Integer("eos_token_id", shape.eos);
  AddQuantization(&fields, request.format, shape.power_of_two);
  return MetadataDocument(fields.Take(), nullptr);
}

MetadataDocument GroupedConfig(const GroupedShape& shape, const ShapeRequest& request) {
  ConfigFields fields = StartConfig(shape.qwen2 ? "qwen2" : "llama",
                                    shape.qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM");
  fields.Integer("hidden_size", shape.hidden)
      .Integer("num_hidden_layers", request.layers != 0 ? request.layers : shape.layers)
      .Integer("num_attention_heads", shape.heads)
      .Integer("num_key_value_heads", shape.kv_heads)
      .Integer("intermediate_size", shape.ffn_width);
  if (shape.qwen2)
    fields.Flag("use_sliding_window", false);
  else
    fields.Flag("attention_bias", false).Flag("mlp_bias", false);
  fields.Integer("rope_theta", shape.theta);
  if (shape.llama3_scaling) {
    ConfigFields scaling;
    scaling.Text("rope_type", "llama3")
        .Real("factor", 8.0)
        .Real("low_freq_factor", 1.0)
        .Real("high_freq_factor", 4.0)
        .Integer("original_max_position_embeddings", 8192);
    fields.Put("rope_scaling", scaling.Take());
  }
  fields.Integer("max_position_embeddings", shape.context)
      .Real("rms_norm_eps", shape.epsilon)
      .Integer("vocab_size", shape.vocabulary)
      .Flag("tie_word_embeddings", shape.tied)
      .Integer("bos_token_id", shape.bos)
      .Integer("eos_token_id", shape.eos);
  AddQuantization(&fields, request.format, false);
  return MetadataDocument(fields.Take(), nullptr);
}

template <typename Table>
const auto* FindShape(const Table& table, const std::string& name) {
  const auto* at = std::find_if(std::begin(table), std::end(table),
                                [&](const auto& shape) { return shape.name == name; });
  return at != std::end(table) ? at : nullptr;
}

Status UnknownShape(const std::string& name) {
  std::string known;
  for (const std::string_view shape : ShapeNames()) {
    if (!known.empty()) known += ", ";
    known += shape;
  }
  return UsageError("shape", name, known, "choose one of these");
}

Status CheckLayers(const ShapeRequest& request, std::int64_t published) {
  if (request.layers >= 0 && request.layers <= published) return {};
  return UsageError("--layers", std::to_string(request.layers),
                    "1 to " + std::to_string(published) + ", the layers of " + request.shape,
                    "leave the option out for all");
}

}  // namespace

ConfigFields StartConfig(std::string_view model_type, std::string_view architecture) {
  ConfigFields fields;
  fields.Put("architectures", Metadata(Metadata::Array{Metadata(architecture)}))
      .Text("model_type", model_type)
      .Text("torch_dtype", "bfloat16")
      .Text("hidden_act", "silu")
      .Real("attention_dropout", 0.0)
      .Real("initializer_range", 0.02)
      .Flag("use_cache", true);
  return fields;
}

std::string_view Name(SynthFormat format) {
  constexpr std::array<std::string_view, 6> kNames = {"bf16",  "fp8",  "mxfp4",
                                                      "nvfp4", "q8_0", "q4_0"};
  return kNames[static_cast<std::size_t>(format)];
}

std::vector<std::string_view> ShapeNames() {
  std::vector<std::string_view> names;
  for (const LatentShape& shape : kLatentShapes) names.push_back(shape.name);
  for (const std::string_view name : CompressedShapeNames()) names.push_back(name);
  for (const GroupedShape& shape : kGroupedShapes) names.push_back(shape.name);
  return names;
}

std::string ShapePromptFormat(const std::string& name) {
  std::string_view format;
  if (const LatentShape* latent = FindShape(kLatentShapes, name)) format = latent->prompt_format;
  if (const GroupedShape* grouped = FindShape(kGroupedShapes, name))
    format = grouped->prompt_format;
  return std::string(format);
}

Result<SynthFormat> VendorFormat(const std::string& name) {
  if (const LatentShape* shape = FindShape(kLatentShapes, name)) return shape->format;
  if (FindCompressedShape(name) != nullptr) return SynthFormat::kMxfp4;
  if (FindShape(kGroupedShapes, name) != nullptr) return SynthFormat::kBf16;
  return UnknownShape(name);
}

Result<MetadataDocument> ShapeConfig(const ShapeRequest& request) {
  if (const LatentShape* shape = FindShape(kLatentShapes, request.shape)) {
    HADAL_RETURN_IF_ERROR(CheckLayers(request, shape->layers));
    if (request.draft && !shape->draft)
      return UsageError("--mtp", request.shape, "a model that ships a draft layer: v3, v3.1, v3.2",
                        "leave the option out, or choose another shape");
    return LatentConfig(*shape, request);
  }
  if (const CompressedShape* shape = FindCompressedShape(request.shape))
    return CompressedConfig(*shape, request);
  const GroupedShape* shape = FindShape(kGroupedShapes, request.shape);
  if (shape == nullptr) return UnknownShape(request.shape);
  HADAL_RETURN_IF_ERROR(CheckLayers(request, shape->layers));
  if (request.experts != 0 || request.draft)
    return UsageError(request.experts != 0 ? "--experts" : "--mtp", request.shape,
                      "a model with experts", "leave the option out, or choose another shape");
  return GroupedConfig(*shape, request);
}

}  // namespace hadal
