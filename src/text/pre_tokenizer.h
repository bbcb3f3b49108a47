// PreTokenizer: cuts a text into the pieces that byte pair merges never cross.
//
// What tokenizer.json describes as Sequence, Split, Digits and ByteLevel, and what GGUF names in
// tokenizer.ggml.pre. Byte-level tokenizers only; other pre-tokenizers are refused by name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"
#include "base/status.h"
#include "text/code_alphabet.h"
#include "text/regex_tree.h"
#include "text/split_pattern.h"

namespace hadal {

// What happens to the matches of a pattern (the other parts stay pieces). The names are
// tokenizer.json's.
enum class SplitBehavior : std::uint8_t {
  kIsolated,            // a match is a piece
  kRemoved,             // a match vanishes
  kMergedWithPrevious,  // a match is the end of the part before it
  kMergedWithNext,      // a match is the beginning of the part behind it
  kContiguous,          // matches side by side are one piece
};

// A description, before it is compiled.
struct SplitStep {
  RegexTree pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  // what does not match counts as the match
  bool prefix_space =
      false;  // no split: a space in front of each piece that does not begin with one
};

// Immutable; any thread may split.
class PreTokenizer {
 public:
  // The `pre_tokenizer` of a tokenizer.json.
  static Result<PreTokenizer> FromJson(const Metadata& description, const std::string& where);
  // The `tokenizer.ggml.pre` of a GGUF file, or an alias that llama.cpp gives the same meaning.
  static Result<PreTokenizer> FromName(std::string_view name, const std::string& where);
  static Result<PreTokenizer> FromSteps(std::vector<SplitStep> steps, const std::string& where);

  // The pieces of `text` (valid UTF-8), in order, none empty. They point into `text`, or into
  // *changed where the text had to be changed.
  Status Split(std::string_view text, MatchScratch* scratch, std::string* changed,
               std::vector<std::string_view>* pieces) const;

 private:
  struct Step {
    SplitPattern pattern;
    SplitBehavior behavior;
    bool invert, prefix_space;
  };
  PreTokenizer() = default;
  std::shared_ptr<const CodeAlphabet> alphabet_;
  std::vector<Step> steps_;
};

// GPT-2's pattern, which ByteLevel applies unless told not to.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// The steps behind a pre-tokenizer name, and whether it takes a piece that is a token as a whole
// without looking at the merges, and whether texts begin with BOS where the file does not say.
struct NamedPreTokenizer {
  std::vector<std::string_view> names;     // the first is the one to use, the others aliases
  std::vector<std::string_view> patterns;  // one isolated split after another
  bool ignore_merges = false;
  bool add_bos = false;
};
const std::vector<NamedPreTokenizer>& NamedPreTokenizers();
// Nothing of this name: nullptr.
const NamedPreTokenizer* FindPreTokenizer(std::string_view name);

}  // namespace hadal
