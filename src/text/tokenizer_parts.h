// TokenizerParts: what the three readers of tokenizer files (tokenizer_json.cc, tokenizer_gguf.cc,
// tokenizer_tiktoken.cc) have in common: they fill it, and Make checks it and builds the Tokenizer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_pair_encoder.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace hadal {

struct TokenizerParts {
  static constexpr std::size_t kMostTokens = 1 << 20;
  static constexpr std::size_t kMostAddedBytes = 4096;

  // By id, as the file writes them; a view without data is an id without a token. They must live
  // until Make returns.
  std::vector<std::string_view> tokens;
  bool raw_bytes = false;  // tokens are bytes themselves, not written in the byte-level alphabet
  std::vector<BpeMerge> merges;
  BpeRules rules;
  std::vector<AddedToken> added;
  Normalizer normalizer;
  std::optional<PreTokenizer> pre_tokenizer;  // set by every reader
  std::optional<TokenId> bos, eos;
  bool add_bos = false;

  // Puts a token at its id; refuses ids out of range, ids taken twice, and empty tokens.
  Status SetToken(std::int64_t id, std::string_view text, const std::string& where);

  // Adds the merges of a file: strings "LEFT RIGHT" or pairs of strings, the first merged first.
  Status SetMerges(const Metadata& list, const std::string& where);

  // The merges that ranks imply: a pair whose joined bytes are a token, at that token's id. Added
  // tokens take no part. Refuses tokens longer than 1024 bytes.
  Status SetMergesFromRanks(const std::string& where);

  // Replaces or adds the tokens of an overlay file ({"added_tokens":[...]}); null changes nothing.
  Status Apply(const Metadata* overlay, const std::string& where);

  Result<std::shared_ptr<const Tokenizer>> Make(const std::string& where) &&;
};

// One of tokenizer.json's added tokens, or of tokenizer_config.json's added_tokens_decoder (where
// the id is the key and so is given).
Result<AddedToken> ReadAddedToken(const Metadata& node, std::optional<std::int64_t> id,
                                  const std::string& where);

// BOS, EOS and add_bos_token of a tokenizer_config.json, null for none; the tokens are looked up by
// content among parts->added, then by id.
Status ReadTokenizerConfig(const Metadata* config, const std::string& where, TokenizerParts* parts);

}  // namespace hadal
