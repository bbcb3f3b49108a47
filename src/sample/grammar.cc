#include "sample/grammar.h"

#include <algorithm>
#include <map>

#include "base/check.h"

namespace hadal {
namespace {

constexpr std::size_t kMostNodes = 400'000;
constexpr std::size_t kMostEdges = 1'600'000;
constexpr std::chrono::seconds kMostTime{2};
// A mark is not longer than this; the vendors' are below 40 bytes.
constexpr std::size_t kMostMarkBytes = 64;

}  // namespace

std::uint64_t Grammar::bytes() const {
  return sizeof(Grammar) + nodes.size() * sizeof(GrammarNode) + edges.size() * sizeof(GrammarEdge) +
         loops.size() * sizeof(GrammarLoop) + rules.size() * sizeof(GrammarNodeId) +
         (class_of.size() + symbol_of.size()) * sizeof(std::uint16_t);
}

GrammarBuilder::GrammarBuilder(MarkFinder marks) : marks_(std::move(marks)) {
  Add({});  // kReturn
}

GrammarNodeId GrammarBuilder::Add(const GrammarNode& node) {
  if (grammar_.nodes.size() >= kMostNodes) within_bounds_ = false;
  if (grammar_.nodes.size() % 1024 == 0 && std::chrono::steady_clock::now() - begin_ > kMostTime)
    within_bounds_ = false;
  if (!within_bounds_) return kReturn;  // what is built now is thrown away
  grammar_.nodes.push_back(node);
  return static_cast<Node>(grammar_.nodes.size() - 1);
}

void GrammarBuilder::PutEdges(Node node, GrammarNode::Kind kind,
                              const std::vector<GrammarEdge>& edges) {
  if (grammar_.edges.size() + edges.size() > kMostEdges) within_bounds_ = false;
  if (!within_bounds_ || node == kReturn) return;
  GrammarNode& to = grammar_.nodes[node];
  to.kind = kind;
  to.edges = static_cast<std::uint32_t>(grammar_.edges.size());
  to.count = static_cast<std::uint32_t>(edges.size());
  grammar_.edges.insert(grammar_.edges.end(), edges.begin(), edges.end());
}

GrammarNodeId GrammarBuilder::Reserve() { return Add({.kind = GrammarNode::Kind::kFork}); }

void GrammarBuilder::Set(Node node, std::vector<GrammarEdge> edges, bool text) {
  std::ranges::sort(edges, {}, &GrammarEdge::low);
  PutEdges(node, GrammarNode::Kind::kMatch, edges);
  if (within_bounds_) grammar_.nodes[node].text = text;
}

void GrammarBuilder::SetFork(Node node, std::vector<Node> choices, bool text) {
  std::vector<GrammarEdge> edges;
  for (const Node choice : choices) edges.push_back({0, 0, choice});
  PutEdges(node, GrammarNode::Kind::kFork, edges);
  if (within_bounds_) grammar_.nodes[node].text = text;
}

GrammarNodeId GrammarBuilder::Match(std::vector<GrammarEdge> edges, bool text) {
  const Node node = Reserve();
  Set(node, std::move(edges), text);
  return node;
}

GrammarNodeId GrammarBuilder::Fork(std::vector<Node> choices) {
  if (choices.size() == 1) return choices.front();
  const Node node = Reserve();
  SetFork(node, std::move(choices));
  return node;
}

GrammarNodeId GrammarBuilder::Byte(unsigned char low, unsigned char high, Node next) {
  return Match({{low, high, next}});
}

GrammarNodeId GrammarBuilder::Literal(std::string_view text, Node next) {
  for (std::size_t i = text.size(); i-- > 0;) next = Byte(text[i], next);
  return next;
}

GrammarNodeId GrammarBuilder::Mark(std::int32_t token, Node next) {
  const auto found = std::ranges::find(grammar_.marks, token);
  const auto symbol = static_cast<std::uint16_t>(256 + (found - grammar_.marks.begin()));
  if (found == grammar_.marks.end()) grammar_.marks.push_back(token);
  return Match({{symbol, symbol, next}});
}

GrammarNodeId GrammarBuilder::Marked(std::string_view text, Node next) {
  struct Piece {
    std::string_view text;
    std::int32_t mark = -1;
  };
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < text.size();) {
    Piece piece{text.substr(at, 1)};
    for (std::size_t size = std::min(kMostMarkBytes, text.size() - at); marks_ && size > 1;
         --size) {
      const std::int32_t mark = marks_(text.substr(at, size));
      if (mark < 0) continue;
      piece = {text.substr(at, size), mark};
      break;
    }
    pieces.push_back(piece);
    at += piece.text.size();
  }
  for (std::size_t i = pieces.size(); i-- > 0;)
    next = pieces[i].mark >= 0 ? Mark(pieces[i].mark, next) : Literal(pieces[i].text, next);
  return next;
}

GrammarNodeId GrammarBuilder::Call(GrammarRuleId rule, Node next, bool guarded) {
  return Add({.kind = GrammarNode::Kind::kCall, .guarded = guarded, .a = rule, .next = next});
}

// A tree over the sorted texts, made from its leaves.
GrammarNodeId GrammarBuilder::Branches(std::vector<Branch> branches) {
  std::ranges::sort(branches, {}, &Branch::text);
  struct Open {
    std::vector<GrammarEdge> edges;
    bool ends = false;
    Node next = 0;
  };
  std::vector<Open> path(1);  // from the root to the current text
  std::string_view current;
  const auto close_to = [&](std::size_t depth) {
    while (path.size() > depth + 1) {
      Open& open = path.back();
      Node node = open.edges.empty() ? open.next : Match(std::move(open.edges));
      if (open.ends && node != open.next) node = Fork({node, open.next});
      const auto byte = static_cast<unsigned char>(current[path.size() - 2]);
      path.pop_back();
      path.back().edges.push_back({byte, byte, node});
    }
  };
  for (const Branch& branch : branches) {
    const auto common =
        static_cast<std::size_t>(std::ranges::mismatch(current, branch.text).in1 - current.begin());
    close_to(common);
    current = branch.text;
    path.resize(current.size() + 1);
    path.back().ends = true;
    path.back().next = branch.next;
  }
  close_to(0);
  const Node rest = Match(std::move(path.front().edges));
  return path.front().ends ? Fork({rest, path.front().next}) : rest;
}

GrammarNodeId GrammarBuilder::Repeat(const Count& count, Node next, const Body& body,
                                     const Body& first, bool text) {
  if (count.max == 0) return next;
  if (count.min == 0 && count.max == kUnbounded && !first) {
    const Node head = Reserve();
    SetFork(head, {body(head), next}, text);
    return head;
  }
  const auto loop = static_cast<std::uint32_t>(grammar_.loops.size());
  grammar_.loops.push_back({.min = count.min, .max = count.max});
  const Node head = Add({.kind = GrammarNode::Kind::kHead, .text = text, .a = loop, .next = next});
  const Node again = Add({.kind = GrammarNode::Kind::kAgain});
  const Node later = body(again);
  grammar_.loops[loop].again = later;
  grammar_.loops[loop].first = first ? first(again) : later;
  return Add({.kind = GrammarNode::Kind::kEnter, .a = loop, .next = head});
}

GrammarRuleId GrammarBuilder::ReserveRule() {
  grammar_.rules.push_back(kReturn);
  return static_cast<GrammarRuleId>(grammar_.rules.size() - 1);
}

}  // namespace hadal
