#include "text/regex_emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadal {
namespace {

bool IsUnlimitedRun(const RegexNode& node) {
  return node.kind == RegexNode::kSet && node.most == RegexNode::kUnlimited && node.least <= 1;
}

class Emitter {
 public:
  explicit Emitter(const SymbolsOfSet& symbols) : symbols_(symbols) {}

  void Alternatives(const RegexNode& root) {
    if (root.kind != RegexNode::kAlternatives) return One(root, {});
    for (std::size_t i = 0; i < root.children.size(); ++i) {
      if (i > 0) out_ += '|';
      One(root.children[i], root.children);
    }
  }
  std::string Take() { return std::move(out_); }

 private:
  // A top-level alternative among its siblings.
  void One(const RegexNode& node, const std::vector<RegexNode>& siblings) {
    if (NeedsGuard(node, siblings)) {
      out_ += "(?:\\G|(?<!";
      Set(symbols_(node.children[0].set));
      out_ += "))";
    }
    Emit(node);
  }

  bool NeedsGuard(const RegexNode& node, const std::vector<RegexNode>& siblings) const {
    if (node.kind != RegexNode::kSequence || node.IsRepeated() || node.children.size() < 2 ||
        !IsUnlimitedRun(node.children[0]))
      return false;
    const SymbolSet& run = symbols_(node.children[0].set);
    // A sibling that takes any one character of the run never lets the search step into it.
    return std::none_of(siblings.begin(), siblings.end(), [&](const RegexNode& sibling) {
      if (sibling.kind != RegexNode::kSequence || sibling.IsRepeated() ||
          sibling.children.size() != 1 || sibling.children[0].kind != RegexNode::kSet)
        return false;
      return sibling.children[0].least <= 1 && (run & ~symbols_(sibling.children[0].set)).none();
    });
  }

  void Emit(const RegexNode& node) {
    constexpr std::array<std::string_view, 10> kOpening = {
        "", "(?:", "(?:", "(?>", "(?=", "(?<=", "(?!", "(?<!", "\\A", "\\z"};
    if (node.kind == RegexNode::kSequence && !node.IsRepeated()) {  // needs no group
      for (const RegexNode& child : node.children) Emit(child);
      return;
    }
    const bool group = node.kind != RegexNode::kSet && node.kind != RegexNode::kStart &&
                       node.kind != RegexNode::kEnd;
    out_ += kOpening[node.kind];
    if (node.kind == RegexNode::kSet) Set(symbols_(node.set));
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0 && node.kind == RegexNode::kAlternatives) out_ += '|';
      Emit(node.children[i]);
    }
    if (group) out_ += ')';
    if (node.IsRepeated()) Quantifier(node);
  }

  void Quantifier(const RegexNode& node) {
    out_ += node.most == RegexNode::kUnlimited ? fmt::format("{{{},}}", node.least)
                                               : fmt::format("{{{},{}}}", node.least, node.most);
    if (node.greed == RegexNode::kLazy) out_ += '?';
    if (node.greed == RegexNode::kPossessive) out_ += '+';
  }

  void Set(const SymbolSet& set) {
    if (set.none()) return void(out_ += "(?!)");
    out_ += '[';
    for (std::size_t first = 0; first < set.size(); ++first) {
      if (!set[first]) continue;
      std::size_t last = first;
      while (last + 1 < set.size() && set[last + 1]) ++last;
      out_ += fmt::format("\\x{:02x}", first);
      if (last > first) out_ += fmt::format("-\\x{:02x}", last);
      first = last;
    }
    out_ += ']';
  }

  const SymbolsOfSet& symbols_;
  std::string out_;
};

// What a node can begin with, and whether it can match nothing.
struct First {
  SymbolSet symbols;
  bool empty = false;
};

First FirstOf(const RegexNode& node, const SymbolsOfSet& symbols) {
  First first;
  switch (node.kind) {
    case RegexNode::kSet:
      first.symbols = symbols(node.set);
      break;
    case RegexNode::kSequence:
    case RegexNode::kAtomic:
      first.empty = true;
      for (const RegexNode& child : node.children) {
        const First next = FirstOf(child, symbols);
        first.symbols |= next.symbols;
        first.empty = next.empty;
        if (!next.empty) break;
      }
      break;
    case RegexNode::kAlternatives:
      for (const RegexNode& child : node.children) {
        const First next = FirstOf(child, symbols);
        first.symbols |= next.symbols;
        first.empty |= next.empty;
      }
      break;
    default:  // look-around and anchors take nothing
      first.empty = true;
  }
  first.empty |= node.least == 0;
  return first;
}

SymbolSet NeededBy(const RegexNode& node, const SymbolsOfSet& symbols) {
  const SymbolSet unknown = SymbolSet().set();
  if (node.least == 0) return unknown;
  if (node.kind == RegexNode::kSet) return symbols(node.set);
  if (node.kind == RegexNode::kSequence || node.kind == RegexNode::kAtomic) {
    SymbolSet fewest = unknown;
    for (const RegexNode& child : node.children) {
      const SymbolSet needed = NeededBy(child, symbols);
      if (needed.count() < fewest.count()) fewest = needed;
    }
    return fewest;
  }
  if (node.kind != RegexNode::kAlternatives) return unknown;  // look-around holds nothing
  SymbolSet any;
  for (const RegexNode& child : node.children) any |= NeededBy(child, symbols);
  return any;
}

}  // namespace

std::string EmitPattern(const RegexTree& tree, const SymbolsOfSet& symbols) {
  Emitter emitter(symbols);
  emitter.Alternatives(tree.root);
  return emitter.Take();
}

SymbolSet FirstSymbols(const RegexTree& tree, const SymbolsOfSet& symbols) {
  const First first = FirstOf(tree.root, symbols);
  return first.empty ? SymbolSet().set() : first.symbols;
}

SymbolSet NeededSymbols(const RegexTree& tree, const SymbolsOfSet& symbols) {
  return NeededBy(tree.root, symbols);
}

}  // namespace hadal
