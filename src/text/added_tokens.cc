#include "text/added_tokens.h"

#include <algorithm>
#include <optional>

#include "text/unicode_classes.h"
#include "text/utf8.h"

namespace hadal {
namespace {

// The character that ends at `end`, and where it begins.
std::optional<char32_t> Before(std::string_view text, std::size_t end, std::size_t* begin) {
  if (end == 0) return std::nullopt;
  *begin = end - 1;
  while ((static_cast<unsigned char>(text[*begin]) & 0xC0) == 0x80) --*begin;
  return NextUtf8Part(text, *begin).point;
}

bool TouchesWord(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t unused = 0;
  const std::optional<char32_t> before = Before(text, begin, &unused);
  if (before && WordCharacters().Contains(*before)) return true;
  return end < text.size() && WordCharacters().Contains(NextUtf8Part(text, end).point);
}

std::size_t StripLeft(std::string_view text, std::size_t at, std::size_t least) {
  std::size_t begin = 0;
  while (at > least) {
    const std::optional<char32_t> before = Before(text, at, &begin);
    if (!before || !WhiteSpace().Contains(*before)) break;
    at = begin;
  }
  return std::max(at, least);
}

std::size_t StripRight(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const Utf8Part part = NextUtf8Part(text, at);
    if (!WhiteSpace().Contains(part.point)) break;
    at += part.length;
  }
  return at;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), nodes_(1) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].content.empty()) continue;
    std::uint32_t node = 0;
    for (const char c : tokens_[i].content) {
      const auto byte = static_cast<unsigned char>(c);
      std::uint32_t next = Step(node, byte);
      if (next == 0) {
        next = static_cast<std::uint32_t>(nodes_.size());
        nodes_.emplace_back();
        std::vector<Edge>& edges = nodes_[node].edges;
        edges.insert(std::find_if(edges.begin(), edges.end(),
                                  [&](const Edge& edge) { return edge.byte > byte; }),
                     {byte, next});
      }
      node = next;
    }
    nodes_[node].token = static_cast<std::int32_t>(i);
    first_.set(static_cast<unsigned char>(tokens_[i].content[0]));
  }
}

std::uint32_t AddedTokenFinder::Step(std::uint32_t node, unsigned char byte) const {
  const std::vector<Edge>& edges = nodes_[node].edges;
  const auto edge = std::lower_bound(edges.begin(), edges.end(), byte,
                                     [](const Edge& a, unsigned char b) { return a.byte < b; });
  return edge != edges.end() && edge->byte == byte ? edge->node : 0;
}

const AddedToken* AddedTokenFinder::Longest(std::string_view text, std::size_t at) const {
  std::int32_t longest = -1;
  std::uint32_t node = 0;
  for (; at < text.size(); ++at) {
    node = Step(node, static_cast<unsigned char>(text[at]));
    if (node == 0) break;
    if (nodes_[node].token >= 0) longest = nodes_[node].token;
  }
  return longest < 0 ? nullptr : &tokens_[static_cast<std::size_t>(longest)];
}

void AddedTokenFinder::Split(std::string_view text, AddedTokenUse use,
                             std::vector<TokenSegment>* segments) const {
  std::size_t done = 0;  // everything before is in a segment
  const auto add_text = [&](std::size_t end) {
    if (end > done) segments->push_back({text.substr(done, end - done), kNoToken});
  };
  if (use != AddedTokenUse::kNone && first_.any()) {
    for (std::size_t at = 0; at < text.size();) {
      const AddedToken* token =
          first_[static_cast<unsigned char>(text[at])] ? Longest(text, at) : nullptr;
      if (token == nullptr) {
        ++at;
        continue;
      }
      const std::size_t end = at + token->content.size();
      const bool as_text = use == AddedTokenUse::kSpecialAsText && token->special;
      if (!as_text && !(token->single_word && TouchesWord(text, at, end))) {
        add_text(token->strip_left ? StripLeft(text, at, done) : at);
        done = std::max(done, token->strip_right ? StripRight(text, end) : end);
        segments->push_back({text.substr(at, end - at), token->id});
      }
      at = end;
    }
  }
  add_text(text.size());
}

}  // namespace hadal
