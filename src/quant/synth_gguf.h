// The header of a synthetic GGUF file: the keys that llama.cpp's converter writes for the model.
#pragma once

#include <string>

#include "formats/gguf_writer.h"
#include "quant/shapes.h"
#include "quant/synth_tokenizer.h"
#include "spec/model_spec.h"

namespace hadal {

// `spec` is the one of config.json. kUnsupported for a generation that has no GGUF form.
Result<GgufPairs> SynthGgufPairs(const ModelSpec& spec, const std::string& name, SynthFormat format,
                                 const SynthVocabulary& vocabulary);

// The numbers of rope_freqs.weight, by which llama3 scaling divides plain frequencies; empty for
// other models. They are in no header key.
std::vector<float> RopeDivisors(const ModelSpec& spec);

}  // namespace hadal
