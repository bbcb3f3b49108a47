// BytePairEncoder: from one piece of text to token ids by byte pair merges.
//
// Gage 1994; Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword
// Units", 2016. The order is that of the reference library: of all pairs the one with the lowest
// rank is merged, the leftmost of equals, one at a time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/token_index.h"

namespace hadal {

// `left` followed by `right` becomes `result`; low ranks go first.
struct BpeMerge {
  TokenId left = kNoToken, right = kNoToken, result = kNoToken;
  std::uint32_t rank = 0;
};

struct BpeRules {
  // A piece that is a token is that token, whatever the merges say.
  bool ignore_merges = false;
  // What a byte without a token becomes; kNoToken: it vanishes, its neighbours become neighbours.
  TokenId unknown = kNoToken;
  bool fuse_unknown = false;  // unknown bytes side by side are one token
};

// Immutable but for a memo that does not change results; any thread may encode.
class BytePairEncoder {
 public:
  // token_bytes[id] is what the token stands for, empty for ids that text cannot produce; the bytes
  // outlive the encoder. Of equal byte strings the first id counts. Ids in `merges` and `rules` are
  // below token_bytes.size(); of equal pairs the last one counts, as in the reference library.
  BytePairEncoder(std::span<const std::string_view> token_bytes, std::span<const BpeMerge> merges,
                  const BpeRules& rules);

  // Appends the tokens of a piece, which is shorter than 2^31 bytes. O(n log n) in its length.
  void Encode(std::string_view piece, std::vector<TokenId>* ids) const;

  // The ordinary token with exactly these bytes.
  TokenId Find(std::string_view bytes) const { return index_.Find(bytes); }

 private:
  struct Merged {
    std::uint32_t rank = kNoRank;
    TokenId result = kNoToken;
  };
  struct PairSlot {
    std::uint64_t pair = kNoPair;
    Merged merged;
  };
  static constexpr std::uint32_t kNoRank = UINT32_MAX;
  static constexpr std::uint64_t kNoPair = UINT64_MAX;
  enum class Whole : std::uint8_t { kUnknown, kYes, kNo };  // do the merges make the token?

  Merged FindPair(TokenId left, TokenId right) const;
  void Symbols(std::string_view piece, std::vector<TokenId>* symbols) const;
  void MergeAll(std::string_view piece, std::vector<TokenId>* ids) const;
  void MergeShort(std::vector<TokenId>* symbols, std::size_t begin) const;
  void MergeLong(std::vector<TokenId>* symbols, std::size_t begin) const;

  BpeRules rules_;
  std::size_t longest_token_ = 0;
  TokenIndex index_;
  std::array<TokenId, 256> byte_tokens_{};
  std::vector<PairSlot> pairs_;
  // By token: learnt when a piece equal to the token is first met. Every thread that learns it
  // learns the same, so relaxed order is enough.
  std::unique_ptr<std::atomic<Whole>[]> whole_;
};

}  // namespace hadal
