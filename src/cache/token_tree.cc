#include "cache/token_tree.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace hadal {

struct TokenTree::Node {
  std::vector<std::int32_t> edge;  // ids from the parent to here
  std::uint64_t value = 0;
  std::map<std::int32_t, std::unique_ptr<Node>> children;  // by the first id of their edge
};

std::size_t CommonPrefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                  a.begin());
}

TokenTree::TokenTree() : root_(std::make_unique<Node>()) {}

// A timeline of many turns is a deep chain: nodes are freed in a loop, not by recursion.
TokenTree::~TokenTree() {
  std::vector<std::unique_ptr<Node>> nodes;
  nodes.push_back(std::move(root_));
  while (!nodes.empty()) {
    const std::unique_ptr<Node> node = std::move(nodes.back());
    nodes.pop_back();
    for (auto& [id, child] : node->children) nodes.push_back(std::move(child));
  }
}

bool TokenTree::empty() const { return root_->value == 0 && root_->children.empty(); }

std::uint64_t TokenTree::Put(Ids ids, std::uint64_t value) {
  HADAL_CHECK(value != 0, "0 means no value");
  Node* node = root_.get();
  while (!ids.empty()) {
    std::unique_ptr<Node>& child = node->children[ids.front()];
    if (child == nullptr) {
      child = std::make_unique<Node>();
      child->edge.assign(ids.begin(), ids.end());
    }
    const std::size_t common = CommonPrefix(child->edge, ids);
    if (common < child->edge.size()) {  // the edge forks here
      auto upper = std::make_unique<Node>();
      const auto fork = child->edge.begin() + static_cast<std::ptrdiff_t>(common);
      upper->edge.assign(child->edge.begin(), fork);
      child->edge.erase(child->edge.begin(), fork);
      const std::int32_t first = child->edge.front();
      upper->children[first] = std::move(child);
      child = std::move(upper);
    }
    node = child.get();
    ids = ids.subspan(common);
  }
  return std::exchange(node->value, value);
}

std::uint64_t TokenTree::Remove(Ids ids) {
  std::vector<Node*> path{root_.get()};
  for (Ids rest = ids; !rest.empty();) {
    const auto child = path.back()->children.find(rest.front());
    if (child == path.back()->children.end()) return 0;
    const std::vector<std::int32_t>& edge = child->second->edge;
    if (CommonPrefix(edge, rest) < edge.size()) return 0;
    rest = rest.subspan(edge.size());
    path.push_back(child->second.get());
  }
  const std::uint64_t value = std::exchange(path.back()->value, 0);
  // Nodes that hold nothing any more go, and one that only leads on joins its child.
  while (path.size() > 1 && path.back()->value == 0 && path.back()->children.empty()) {
    const std::int32_t first = path.back()->edge.front();
    path.pop_back();
    path.back()->children.erase(first);
  }
  Node& node = *path.back();
  if (path.size() > 1 && node.value == 0 && node.children.size() == 1) {
    const std::unique_ptr<Node> child = std::move(node.children.begin()->second);
    node.edge.insert(node.edge.end(), child->edge.begin(), child->edge.end());
    node.value = child->value;
    node.children = std::move(child->children);
  }
  return value;
}

bool TokenTree::VisitBelow(const Node& node, const Node* except, std::int64_t common_tokens,
                           const Visit& visit) {
  std::vector<const Node*> left{&node};
  while (!left.empty()) {
    const Node& one = *left.back();
    left.pop_back();
    if (one.value != 0 && !visit(one.value, common_tokens)) return false;
    for (const auto& [id, child] : one.children)
      if (child.get() != except) left.push_back(child.get());
  }
  return true;
}

void TokenTree::Walk(Ids ids, const Visit& visit) const {
  struct Step {
    const Node* node;
    std::int64_t common_tokens;  // with everything at and below it
  };
  std::vector<Step> path{{root_.get(), 0}};
  for (std::int64_t depth = 0; depth < std::ssize(ids);) {
    const Ids rest = ids.subspan(static_cast<std::size_t>(depth));
    const auto child = path.back().node->children.find(rest.front());
    if (child == path.back().node->children.end()) break;
    const auto common = static_cast<std::int64_t>(CommonPrefix(child->second->edge, rest));
    depth += common;
    path.push_back({child->second.get(), depth});
    if (common < std::ssize(child->second->edge)) break;
  }
  const Node* seen = nullptr;
  for (; !path.empty(); path.pop_back()) {
    if (!VisitBelow(*path.back().node, seen, path.back().common_tokens, visit)) return;
    seen = path.back().node;
  }
}

}  // namespace hadal
