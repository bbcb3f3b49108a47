// The parsers of each family, and what they share. Internal to `spec`. Every parser fills a
// ModelSpec from fields; failures stay in the Fields.
#pragma once

#include "spec/fields.h"
#include "spec/model_spec.h"

namespace hadal {

void ParseGroupedFamily(Fields* fields, ModelSpec* spec);     // llama, qwen2
void ParseLatentFamily(Fields* fields, ModelSpec* spec);      // deepseek_v2, v3, v32, kimi_k2
void ParseCompressedFamily(Fields* fields, ModelSpec* spec);  // deepseek_v4, v41

// Position embedding of `width` components (rope_config.cc). `theta` names the base's field.
RopeSpec ParseRope(Fields* fields, std::int64_t width, RopePairing pairing, bool latent_attention,
                   Key theta = {"rope_theta", "rope.freq_base"});
// The same without what rope_scaling says (V4's window layers).
RopeSpec PlainRope(Fields* fields, std::int64_t width, RopePairing pairing);

// quantization_config (quant_config.cc).
QuantSpec ParseQuantisation(Fields* fields);

// The number of layers, which every family needs before it describes them.
std::int64_t ParseLayerCount(Fields* fields);

// Refuses any activation function but silu.
void RequireSilu(Fields* fields);

// Experts, their widths and groups: what every router shares (mixture_config.cc).
void ParseExpertCounts(Fields* fields, MixtureSpec* mixture);

}  // namespace hadal
