// AddedTokens: tokens that are found in a text as they stand, before it is cut into pieces.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/token_index.h"

namespace hadal {

// Which added tokens are looked for.
enum class AddedTokenUse : std::uint8_t {
  kAll,            // every one (prompts that this program wrote)
  kNone,           // none (text of a user)
  kSpecialAsText,  // those that are not special
};

// One of tokenizer.json's `added_tokens`.
struct AddedToken {
  TokenId id = kNoToken;
  std::string content;
  bool special = false;
  bool normalized = false;   // found in the normalised text, not in the original one
  bool strip_left = false;   // takes the white space before it
  bool strip_right = false;  // takes the white space behind it
  bool single_word = false;  // only where no word character touches it
};

// A part of a text: ordinary text, or one added token.
struct TokenSegment {
  std::string_view text;
  TokenId token = kNoToken;  // kNoToken: ordinary text
};

// Finds a set of added tokens: from left to right, the longest that begins at a place. Immutable;
// any thread may use it.
//
// Two rules of the reference library are kept: a match that does not count (a special token as
// text, a word that touches another) still uses up its characters, and white space that one token
// took is not taken again.
class AddedTokenFinder {
 public:
  AddedTokenFinder() : nodes_(1) {}
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  // Appends the parts of `text` (valid UTF-8), none of them empty text.
  void Split(std::string_view text, AddedTokenUse use, std::vector<TokenSegment>* segments) const;

 private:
  struct Edge {
    unsigned char byte;
    std::uint32_t node;
  };
  struct Node {
    std::vector<Edge> edges;  // by byte, ascending
    std::int32_t token = -1;  // in tokens_
  };
  std::uint32_t Step(std::uint32_t node, unsigned char byte) const;  // 0 where there is none
  const AddedToken* Longest(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;  // a trie; nodes_[0] is its root
  std::bitset<256> first_;
};

}  // namespace hadal
