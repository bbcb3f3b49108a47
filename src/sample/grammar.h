// Grammar: a language of bytes as a pushdown automaton, which says of every beginning of a text how
// it may go on.
//
// Symbols are the 256 bytes and, after them, "marks": tokens that stand for themselves, such as the
// special tokens around a tool call, which no spelling in bytes replaces. A grammar is a graph of
// nodes. Rules call each other, so that values nest; a counted loop keeps its count beside the
// return addresses. Nothing here recurses on a text or on the depth of a schema.
//
// Every node that is left after GrammarBuilder::Finish leads to the end of the language: a text
// that the automaton has not refused can always be completed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hadal {

using GrammarNodeId = std::uint32_t;
using GrammarRuleId = std::uint32_t;
inline constexpr std::uint32_t kUnbounded = 0xFFFFFFFFu;

struct GrammarEdge {
  std::uint16_t low = 0, high = 0;  // symbols, both included; unused in a fork
  GrammarNodeId target = 0;
};

struct GrammarNode {
  enum class Kind : unsigned char {
    kReturn,  // the end of a rule
    kMatch,   // one symbol, along an edge
    kFork,    // goes on at any of the edges' targets
    kCall,    // rule `a`, then node `next`
    kEnter,   // begins the loop of head `next` with a count of zero
    kHead,    // loop `a`: the body again, or out to `next`
    kAgain,   // the end of a loop's body
  };
  Kind kind = Kind::kReturn;
  // Every plain text (TokenTrie::plain) leads back here, or counts one a character (kHead).
  bool text = false;
  bool guarded = false;     // kCall: only while the nesting is not too deep
  std::uint32_t a = 0;      // rule or loop
  GrammarNodeId next = 0;   // kCall, kEnter, kHead
  std::uint32_t edges = 0;  // kMatch, kFork: the first of `count`
  std::uint32_t count = 0;
};

struct GrammarLoop {
  std::uint32_t min = 0, max = kUnbounded;
  GrammarNodeId first = 0, again = 0;  // the body for the first time, and later
};

struct Grammar {
  std::vector<GrammarNode> nodes;
  std::vector<GrammarEdge> edges;
  std::vector<GrammarLoop> loops;
  std::vector<GrammarNodeId> rules;  // where each begins
  std::vector<std::int32_t> marks;   // token ids of the symbols from 256 on
  GrammarRuleId root = 0;
  // Symbols that no edge tells apart share a class.
  std::vector<std::uint16_t> class_of;   // [256 + marks]
  std::vector<std::uint16_t> symbol_of;  // one symbol of each class

  std::uint64_t bytes() const;
};

// Builds a grammar from its end to its beginning: every piece is given the node that follows it and
// returns the node that it begins with. An object belongs to one thread.
class GrammarBuilder {
 public:
  using Node = GrammarNodeId;
  // Where a rule ends.
  static constexpr Node kReturn = 0;
  // The id of the token that this text is alone, if one stands for itself; else below 0.
  using MarkFinder = std::function<std::int32_t(std::string_view text)>;

  explicit GrammarBuilder(MarkFinder marks = {});

  Node Byte(unsigned char low, unsigned char high, Node next);
  Node Byte(char c, Node next) {
    return Byte(static_cast<unsigned char>(c), static_cast<unsigned char>(c), next);
  }
  // Exactly these bytes.
  Node Literal(std::string_view text, Node next);
  // A literal in which marks are tokens of their own.
  Node Marked(std::string_view text, Node next);
  // Edges must not overlap.
  Node Match(std::vector<GrammarEdge> edges, bool text = false);
  Node Fork(std::vector<Node> choices);
  Node Optional(Node begin, Node next) { return Fork({begin, next}); }
  Node Call(GrammarRuleId rule, Node next, bool guarded = false);
  // One of several literals, each with what follows it; the texts differ.
  struct Branch {
    std::string text;
    Node next = 0;
  };
  Node Branches(std::vector<Branch> branches);

  // A loop: `body` is given the node that ends one turn. `first` builds the first turn where it
  // differs from later ones.
  using Body = std::function<Node(Node next)>;
  struct Count {
    std::uint32_t min = 0, max = kUnbounded;
  };
  Node Repeat(const Count& count, Node next, const Body& body, const Body& first = {},
              bool text = false);

  // A node to be filled in later, for cycles.
  Node Reserve();
  void Set(Node node, std::vector<GrammarEdge> edges, bool text = false);  // becomes a kMatch
  void SetFork(Node node, std::vector<Node> choices, bool text = false);   // becomes a kFork

  GrammarRuleId ReserveRule();
  void SetRule(GrammarRuleId rule, Node begin) { grammar_.rules[rule] = begin; }

  // False once the grammar is too large or took too long; what is built then is of no use.
  bool within_bounds() const { return within_bounds_; }
  std::size_t size() const { return grammar_.nodes.size(); }

  // Fails with kUsage at `where` where it is too large, where a rule calls itself without a symbol
  // in between, and where no text belongs to the language.
  Result<std::shared_ptr<const Grammar>> Finish(GrammarRuleId root, const std::string& where);

 private:
  Node Add(const GrammarNode& node);
  void PutEdges(Node node, GrammarNode::Kind kind, const std::vector<GrammarEdge>& edges);
  Node Mark(std::int32_t token, Node next);
  bool CallsItself() const;
  std::vector<bool> FindProductive() const;
  void Prune(const std::vector<bool>& productive);
  void FindClasses();

  Grammar grammar_;
  MarkFinder marks_;
  bool within_bounds_ = true;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace hadal
