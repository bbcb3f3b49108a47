#include "sample/token_trie.h"

#include <algorithm>

#include "base/utf8.h"

namespace hadal {
namespace {

using Tree = TokenTrie::Tree;

// DSML's marks begin with the full-width bar; the dot of a pattern is no line end.
constexpr std::string_view kNotPlain[] = {"\uFF5C", "\u2028", "\u2029"};

// The number of characters of a token that is plain text; 0 where it is not.
std::uint32_t PlainCharacters(std::string_view bytes) {
  if (!IsUtf8(bytes)) return 0;
  for (const std::string_view other : kNotPlain)
    if (bytes.find(other) != std::string_view::npos) return 0;
  std::uint32_t characters = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\') return 0;
    characters += (byte & 0xC0) != 0x80;
  }
  return characters;
}

struct Entry {
  std::string_view bytes;
  std::int32_t token = -1;
};

Tree MakeTree(std::vector<Entry> entries) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    const int order = a.bytes.compare(b.bytes);
    return order != 0 ? order < 0 : a.token < b.token;
  });
  Tree tree;
  std::vector<std::size_t> path;  // the nodes above the current place
  std::string_view last;
  for (const Entry& entry : entries) {
    const auto common =
        static_cast<std::size_t>(std::ranges::mismatch(last, entry.bytes).in1 - last.begin());
    for (; path.size() > common; path.pop_back())
      tree.nodes[path.back()].skip = static_cast<std::uint32_t>(tree.nodes.size());
    for (std::size_t i = common; i < entry.bytes.size(); ++i) {
      path.push_back(tree.nodes.size());
      tree.nodes.push_back({.first_token = static_cast<std::uint32_t>(tree.tokens.size()),
                            .depth = static_cast<std::uint16_t>(i + 1),
                            .byte = static_cast<unsigned char>(entry.bytes[i])});
    }
    tree.tokens.push_back(entry.token);
    last = entry.bytes;
  }
  for (; !path.empty(); path.pop_back())
    tree.nodes[path.back()].skip = static_cast<std::uint32_t>(tree.nodes.size());
  return tree;
}

constexpr std::size_t kNoNode = static_cast<std::size_t>(-1);

// Goes down along `bytes` and shows every node on the way; the last one, or kNoNode where the tree
// ends before.
template <typename Visit>
std::size_t Descend(const Tree& tree, std::string_view bytes, const Visit& visit) {
  std::size_t node = kNoNode, at = 0, end = tree.nodes.size();
  for (const char c : bytes) {
    while (at < end && tree.nodes[at].byte != static_cast<unsigned char>(c))
      at = tree.nodes[at].skip;
    if (at >= end) return kNoNode;
    visit(at);
    node = at++;
    end = tree.nodes[node].skip;
  }
  return node;
}

}  // namespace

TokenTrie::TokenTrie(const Tokenizer& tokenizer, std::int64_t vocabulary,
                     std::span<const std::string_view> marks)
    : vocabulary_(vocabulary), bytes_of_(static_cast<std::size_t>(vocabulary)) {
  constexpr std::size_t kMostTokenBytes = 0xFFFF;  // no vocabulary comes near
  for (const std::string_view mark : marks)
    if (const auto token = tokenizer.TokenToId(mark)) marks_[std::string(mark)] = *token;
  std::vector<bool> is_mark(static_cast<std::size_t>(vocabulary), false);
  for (const auto& [text, token] : marks_)
    if (token < vocabulary) is_mark[static_cast<std::size_t>(token)] = true;
  std::vector<Entry> all, other;
  plain_mask_.assign(mask_words(), 0);
  const auto tokens =
      static_cast<std::int32_t>(std::min<std::int64_t>(vocabulary, tokenizer.vocabulary()));
  for (std::int32_t id = 0; id < tokens; ++id) {
    const std::string_view bytes = tokenizer.TokenBytes(id);
    if (bytes.empty() || bytes.size() > kMostTokenBytes) continue;
    if (tokenizer.IsSpecial(id)) marks_.emplace(std::string(bytes), id);
    if (tokenizer.IsSpecial(id) || is_mark[static_cast<std::size_t>(id)]) continue;
    std::string& kept = bytes_of_[static_cast<std::size_t>(id)];
    kept = bytes;
    longest_ = std::max(longest_, kept.size());
    all.push_back({kept, id});
    if (const std::uint32_t characters = PlainCharacters(kept); characters > 0) {
      plain_.push_back({id, characters});
      AllowToken(id, plain_mask_);
    } else {
      other.push_back({kept, id});
    }
  }
  std::ranges::sort(plain_, [](const Plain& a, const Plain& b) {
    return a.characters != b.characters ? a.characters < b.characters : a.token < b.token;
  });
  all_ = MakeTree(std::move(all));
  other_ = MakeTree(std::move(other));
}

void TokenTrie::AllowAlong(std::string_view bytes, std::span<std::uint64_t> mask) const {
  const std::size_t last = Descend(all_, bytes, [&](std::size_t node) {
    for (const std::int32_t token : all_.TokensOf(node)) AllowToken(token, mask);
  });
  if (last == kNoNode) return;
  for (std::size_t node = last + 1; node < all_.nodes[last].skip; ++node)
    for (const std::int32_t token : all_.TokensOf(node)) AllowToken(token, mask);
}

bool TokenTrie::HasLonger(std::string_view bytes, std::size_t size) const {
  bool found = false;
  const std::size_t last = Descend(all_, bytes, [&](std::size_t node) {
    found |= all_.nodes[node].depth > size && !all_.TokensOf(node).empty();
  });
  return found || (last != kNoNode && all_.nodes[last].skip > last + 1);
}

std::int32_t TokenTrie::MarkOf(std::string_view text) const {
  const auto found = marks_.find(text);
  return found == marks_.end() || found->second >= vocabulary_ ? -1 : found->second;
}

std::uint64_t TokenTrie::bytes() const {
  return (all_.nodes.size() + other_.nodes.size()) * sizeof(Tree::Node) +
         (all_.tokens.size() + other_.tokens.size()) * sizeof(std::int32_t) +
         plain_.size() * sizeof(Plain) + bytes_of_.size() * sizeof(std::string);
}

}  // namespace hadal
