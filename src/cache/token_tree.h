// TokenTree: a radix tree over sequences of token ids. It maps whole sequences to numbers and finds
// those that begin as a given sequence does. Ids are compared one by one; nothing is hashed.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace hadal {

// How many ids two sequences begin with alike.
std::size_t CommonPrefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

class TokenTree {
 public:
  using Ids = std::span<const std::int32_t>;
  // Sees a stored value and how many tokens its sequence shares with the one that is looked for;
  // false: enough.
  using Visit = std::function<bool(std::uint64_t value, std::int64_t common_tokens)>;

  TokenTree();
  ~TokenTree();
  TokenTree(const TokenTree&) = delete;
  TokenTree& operator=(const TokenTree&) = delete;

  // Stores a value, which is not 0, for the sequence; answers with the one that it replaces, or 0.
  std::uint64_t Put(Ids ids, std::uint64_t value);
  // The value of exactly this sequence is forgotten; 0 where there was none.
  std::uint64_t Remove(Ids ids);
  bool empty() const;

  // Visits the stored values in the order of falling common_tokens.
  void Walk(Ids ids, const Visit& visit) const;

 private:
  struct Node;
  static bool VisitBelow(const Node& node, const Node* except, std::int64_t common_tokens,
                         const Visit& visit);

  std::unique_ptr<Node> root_;
};

}  // namespace hadal
