// The last step of building a grammar: what cannot be part of a text is cut off, and symbols that
// are always treated alike are joined to classes.
#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "sample/grammar.h"

namespace hadal {
namespace {

using Kind = GrammarNode::Kind;

std::span<const GrammarEdge> EdgesOf(const Grammar& grammar, const GrammarNode& node) {
  return std::span(grammar.edges).subspan(node.edges, node.count);
}

// Whether a text leads from the node to the end of its rule (or of its loop's body), as far as is
// known of the nodes behind it.
bool IsProductive(const Grammar& grammar, const GrammarNode& node, const std::vector<bool>& known) {
  switch (node.kind) {
    case Kind::kReturn:
    case Kind::kAgain:
      return true;
    case Kind::kMatch:
    case Kind::kFork:
      return std::ranges::any_of(EdgesOf(grammar, node),
                                 [&](const GrammarEdge& edge) { return known[edge.target]; });
    case Kind::kCall:
      return known[grammar.rules[node.a]] && known[node.next];
    case Kind::kEnter:
      return known[node.next];
    case Kind::kHead: {
      const GrammarLoop& loop = grammar.loops[node.a];
      const bool body =
          loop.min == 0 || (known[loop.first] && (loop.min == 1 || known[loop.again]));
      return body && known[node.next];
    }
  }
  return false;
}

// Rules that the node calls before it has matched a symbol, as far as nodes are concerned.
void Leading(const Grammar& grammar, GrammarNodeId begin, std::vector<GrammarRuleId>* rules) {
  std::vector<GrammarNodeId> open = {begin};
  std::unordered_set<GrammarNodeId> seen;
  while (!open.empty()) {
    const GrammarNodeId id = open.back();
    open.pop_back();
    if (!seen.insert(id).second) continue;
    const GrammarNode& node = grammar.nodes[id];
    if (node.kind == Kind::kFork)
      for (const GrammarEdge& edge : EdgesOf(grammar, node)) open.push_back(edge.target);
    if (node.kind == Kind::kCall) rules->push_back(node.a);
    if (node.kind == Kind::kEnter) open.push_back(node.next);
    if (node.kind == Kind::kHead) {
      open.push_back(grammar.loops[node.a].first);
      if (grammar.loops[node.a].min == 0) open.push_back(node.next);
    }
  }
}

}  // namespace

// No rule of ours that can be empty calls others, so what follows a call need not be looked at.
bool GrammarBuilder::CallsItself() const {
  enum class Mark : unsigned char { kNew, kOpen, kDone };
  std::vector<Mark> marks(grammar_.rules.size(), Mark::kNew);
  struct Visit {
    GrammarRuleId rule;
    std::vector<GrammarRuleId> calls;
  };
  std::vector<Visit> path;
  for (GrammarRuleId start = 0; start < grammar_.rules.size(); ++start) {
    if (marks[start] != Mark::kNew) continue;
    path.push_back({start, {}});
    marks[start] = Mark::kOpen;
    Leading(grammar_, grammar_.rules[start], &path.back().calls);
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.calls.empty()) {
        marks[visit.rule] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const GrammarRuleId called = visit.calls.back();
      visit.calls.pop_back();
      if (marks[called] == Mark::kOpen) return true;
      if (marks[called] == Mark::kDone) continue;
      marks[called] = Mark::kOpen;
      path.push_back({called, {}});
      Leading(grammar_, grammar_.rules[called], &path.back().calls);
    }
  }
  return false;
}

// Pieces are built after what follows them, so a pass settles all but what waits for another rule.
std::vector<bool> GrammarBuilder::FindProductive() const {
  std::vector<bool> productive(grammar_.nodes.size(), false);
  std::vector<GrammarNodeId> waiting(grammar_.nodes.size());
  std::iota(waiting.begin(), waiting.end(), 0u);
  for (std::size_t before = waiting.size() + 1; waiting.size() < before;) {
    before = waiting.size();
    std::erase_if(waiting, [&](GrammarNodeId id) {
      productive[id] = IsProductive(grammar_, grammar_.nodes[id], productive);
      return productive[id];
    });
  }
  return productive;
}

void GrammarBuilder::Prune(const std::vector<bool>& productive) {
  for (GrammarNode& node : grammar_.nodes) {
    if (node.kind == Kind::kMatch || node.kind == Kind::kFork) {
      const auto first = grammar_.edges.begin() + node.edges;
      const auto end = std::remove_if(first, first + node.count, [&](const GrammarEdge& edge) {
        return !productive[edge.target];
      });
      node.count = static_cast<std::uint32_t>(end - first);
    }
    if (node.kind == Kind::kHead) {
      GrammarLoop& loop = grammar_.loops[node.a];
      if (!productive[loop.first]) loop.max = 0;
      if (!productive[loop.again]) loop.max = std::min(loop.max, 1u);
    }
  }
}

void GrammarBuilder::FindClasses() {
  const std::size_t symbols = 256 + grammar_.marks.size();
  std::vector<bool> begins(symbols + 1, false);
  begins[0] = true;
  for (const GrammarNode& node : grammar_.nodes) {
    if (node.kind != Kind::kMatch) continue;
    for (const GrammarEdge& edge : EdgesOf(grammar_, node)) {
      begins[edge.low] = true;
      begins[edge.high + 1u] = true;
    }
  }
  for (std::size_t symbol = 0; symbol < symbols; ++symbol) {
    if (begins[symbol]) grammar_.symbol_of.push_back(static_cast<std::uint16_t>(symbol));
    grammar_.class_of.push_back(static_cast<std::uint16_t>(grammar_.symbol_of.size() - 1));
  }
}

Result<std::shared_ptr<const Grammar>> GrammarBuilder::Finish(GrammarRuleId root,
                                                              const std::string& where) {
  if (!within_bounds_)
    return UsageError(where, "a grammar that grows too large", "one that is ready in two seconds",
                      "use fewer properties, shorter lists of values or smaller repeat counts");
  if (CallsItself())
    return UsageError(where, "a reference that leads back to itself", "a value in between",
                      "put the recursion into a property or an item");
  const std::vector<bool> productive = FindProductive();
  if (!productive[grammar_.rules[root]])
    return UsageError(where, "no value that satisfies it", "at least one that ends",
                      "a recursive part needs a way out: an optional property, or null");
  Prune(productive);
  grammar_.root = root;
  FindClasses();
  return std::shared_ptr<const Grammar>(std::make_shared<Grammar>(std::move(grammar_)));
}

}  // namespace hadal
