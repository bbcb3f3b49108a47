// TokenTrie: the vocabulary as a tree of bytes, along which an automaton is walked once for all
// tokens that begin alike.
//
// Tokens that stand for themselves are not in it: special tokens, and added ones that a prompt
// format uses as marks. Immutable after it is made; any thread may read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace hadal {

// Bit `id` of a row of words: token `id` is allowed.
using TokenMask = std::vector<std::uint64_t>;
inline void AllowToken(std::int32_t id, std::span<std::uint64_t> mask) {
  mask[static_cast<std::size_t>(id) / 64] |= 1ull << (static_cast<std::size_t>(id) % 64);
}
inline void ForbidToken(std::int32_t id, std::span<std::uint64_t> mask) {
  mask[static_cast<std::size_t>(id) / 64] &= ~(1ull << (static_cast<std::size_t>(id) % 64));
}
inline bool IsAllowed(std::int32_t id, std::span<const std::uint64_t> mask) {
  return (mask[static_cast<std::size_t>(id) / 64] >> (static_cast<std::size_t>(id) % 64) & 1) != 0;
}

class TokenTrie {
 public:
  // A tree in preorder: after a node come its children, then from `skip` on what follows them.
  struct Tree {
    struct Node {
      std::uint32_t skip = 0;
      std::uint32_t first_token = 0;  // of the node, up to those of the next one
      std::uint16_t depth = 0;        // 1 for the first byte of a token
      unsigned char byte = 0;
    };
    std::vector<Node> nodes;
    std::vector<std::int32_t> tokens;

    std::span<const std::int32_t> TokensOf(std::size_t node) const {
      const std::size_t end = node + 1 < nodes.size() ? nodes[node + 1].first_token : tokens.size();
      return std::span(tokens).subspan(nodes[node].first_token, end - nodes[node].first_token);
    }
  };

  // `vocabulary` is the model's, which may be wider than the tokenizer's. `marks` are texts that
  // count as marks where they are one token, beside all special tokens.
  TokenTrie(const Tokenizer& tokenizer, std::int64_t vocabulary,
            std::span<const std::string_view> marks);

  const Tree& all() const { return all_; }
  // Tokens that hold anything but whole characters of plain text: quotes, backslashes, controls,
  // parts of characters, the bar of DSML's marks, the two line ends that JavaScript knows.
  const Tree& other() const { return other_; }
  // The rest, by their number of characters, ascending.
  struct Plain {
    std::int32_t token = -1;
    std::uint32_t characters = 0;
  };
  std::span<const Plain> plain() const { return plain_; }
  const TokenMask& plain_mask() const { return plain_mask_; }

  // Allows the tokens that begin with `bytes`, and those that `bytes` begins with.
  void AllowAlong(std::string_view bytes, std::span<std::uint64_t> mask) const;
  // Whether one of those is longer than `size`, which is at most the number of bytes.
  bool HasLonger(std::string_view bytes, std::size_t size) const;

  // The token that this text is alone, if it is a mark; else -1.
  std::int32_t MarkOf(std::string_view text) const;
  std::string_view BytesOf(std::int32_t token) const {
    return bytes_of_[static_cast<std::size_t>(token)];
  }
  bool holds(std::int32_t token) const {
    return token >= 0 && token < vocabulary_ && !bytes_of_[static_cast<std::size_t>(token)].empty();
  }

  std::int64_t vocabulary() const { return vocabulary_; }
  std::size_t longest() const { return longest_; }  // token, in bytes
  std::size_t mask_words() const { return static_cast<std::size_t>(vocabulary_ + 63) / 64; }
  std::uint64_t bytes() const;

 private:
  std::int64_t vocabulary_;
  std::vector<std::string> bytes_of_;  // empty for what is not in the tree
  std::map<std::string, std::int32_t, std::less<>> marks_;
  Tree all_, other_;
  std::vector<Plain> plain_;
  TokenMask plain_mask_;
  std::size_t longest_ = 0;
};

}  // namespace hadal
