// The tokenizer of a synthetic checkpoint: byte level, no merges. The begin and end tokens have the
// ids of the config, the 256 bytes the lowest ids that are left, and the rest of the vocabulary
// filler names that no text reaches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spec/model_spec.h"

namespace hadal {

// The token of each id, in the printable alphabet of byte-level BPE.
struct SynthVocabulary {
  std::vector<std::string> tokens;
  std::vector<std::int64_t> special;  // ids of the begin and end tokens
};
SynthVocabulary MakeSynthVocabulary(const ModelSpec& spec);

// tokenizer.json as Hugging Face's library reads it.
std::string SynthTokenizerJson(const SynthVocabulary& vocabulary);
// tokenizer_config.json: the names of the special tokens; none is added to a text.
std::string SynthTokenizerConfigJson(const SynthVocabulary& vocabulary);

}  // namespace hadal
