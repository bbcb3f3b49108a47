// The tokenizer of a synthetic checkpoint: byte level, no merges. The begin and end tokens have the
// ids of the config, the 256 bytes the lowest ids that are left, and the rest of the vocabulary
// filler names that no text reaches. Where the shape has a prompt format, its tokens take the
// highest ids, and a chat template stands in the config by which the format is found again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spec/model_spec.h"
#include "text/prompt_format.h"

namespace hadal {

// The token of each id, in the printable alphabet of byte-level BPE.
struct SynthVocabulary {
  std::vector<std::string> tokens;
  // Ids of the begin and end tokens, then those of the prompt format.
  std::vector<std::int64_t> special;
  std::string chat_template;  // empty: none
};
SynthVocabulary MakeSynthVocabulary(const ModelSpec& spec, const PromptFormat* format = nullptr);

// tokenizer.json as Hugging Face's library reads it.
std::string SynthTokenizerJson(const SynthVocabulary& vocabulary);
// tokenizer_config.json: the names of the special tokens, of which none is added to a text.
std::string SynthTokenizerConfigJson(const SynthVocabulary& vocabulary);

}  // namespace hadal
