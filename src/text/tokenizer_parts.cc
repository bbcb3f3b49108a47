#include "text/tokenizer_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/hints.h"
#include "text/utf8.h"

namespace hadal {
namespace {

constexpr std::size_t kLookAhead = 16;  // tokens; memory answers before their turn comes

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  return '"' + ReplaceInvalidUtf8(text.substr(0, kShown)) + (text.size() > kShown ? "...\"" : "\"");
}

Result<TokenIndex> IndexTokens(const std::vector<std::string_view>& tokens,
                               const std::string& where) {
  TokenIndex index(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (id + kLookAhead < tokens.size()) index.Prefetch(tokens[id + kLookAhead]);
    if (!tokens[id].empty() && !index.Insert(tokens[id], static_cast<TokenId>(id)))
      return Unusable(where,
                      fmt::format("the token {} at id {} and at id {}", Quoted(tokens[id]),
                                  index.Find(tokens[id]), id),
                      "one id for each token", kDamagedTokenizer);
  }
  return index;
}

// The two tokens of a merge as the file writes it.
struct MergeText {
  std::string_view left, right;
};
std::optional<MergeText> SplitMerge(const Metadata& merge) {
  if (const auto text = merge.string()) {
    const std::size_t space = text->find(' ', 1);
    if (space == std::string_view::npos || text->find(' ', space + 1) != std::string_view::npos)
      return std::nullopt;
    return MergeText{text->substr(0, space), text->substr(space + 1)};
  }
  const auto pair = merge.items();
  if (pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) return std::nullopt;
  return MergeText{*pair[0].string(), *pair[1].string()};
}

// A token named in tokenizer_config.json: its content, or an object that holds it.
std::string_view ContentOf(const Metadata& node) {
  const Metadata* content = node.is_object() ? node.Find("content") : &node;
  return content != nullptr ? content->string().value_or("") : "";
}

// BOS or EOS: by content among the added tokens, else by number.
std::optional<TokenId> NamedToken(const Metadata& config, const std::string& name,
                                  const TokenizerParts& parts) {
  if (const Metadata* node = config.FindNonNull(name))
    for (const AddedToken& token : parts.added)
      if (!token.content.empty() && token.content == ContentOf(*node)) return token.id;
  if (const Metadata* node = config.FindNonNull(name + "_id"))
    if (const auto id = node->integer();
        id && *id >= 0 && *id < static_cast<std::int64_t>(TokenizerParts::kMostTokens))
      return static_cast<TokenId>(*id);
  return std::nullopt;
}

}  // namespace

Status TokenizerParts::SetToken(std::int64_t id, std::string_view text, const std::string& where) {
  if (id < 0 || static_cast<std::uint64_t>(id) >= kMostTokens)
    return Unusable(where, fmt::format("the id {} of {}", id, Quoted(text)),
                    fmt::format("ids from 0 to {}", kMostTokens - 1), kDamagedTokenizer);
  if (text.empty())
    return Unusable(where, fmt::format("an empty token at id {}", id), "some bytes",
                    kDamagedTokenizer);
  const auto at = static_cast<std::size_t>(id);
  if (at >= tokens.size()) tokens.resize(at + 1);
  if (!tokens[at].empty())
    return Unusable(where,
                    fmt::format("the id {} for {} and {}", id, Quoted(tokens[at]), Quoted(text)),
                    "one token at each id", kDamagedTokenizer);
  tokens[at] = text;
  return {};
}

Status TokenizerParts::SetMerges(const Metadata& list, const std::string& where) {
  HADAL_ASSIGN_OR_RETURN(const TokenIndex index, IndexTokens(tokens, where));
  if (!list.is_array())
    return Unusable(where, list.Describe(), "a list of merges", kDamagedTokenizer);
  const auto items = list.items();
  merges.reserve(items.size());
  std::array<MergeText, kLookAhead> texts;
  std::array<std::string, kLookAhead> joined;
  for (std::size_t first = 0; first < items.size(); first += kLookAhead) {
    const std::size_t count = std::min(kLookAhead, items.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      const std::optional<MergeText> merge = SplitMerge(items[first + i]);
      if (!merge)
        return Unusable(fmt::format("{}[{}]", where, first + i), items[first + i].Describe(),
                        "two tokens with one space between them, or a pair of strings",
                        kDamagedTokenizer);
      texts[i] = *merge;
      joined[i].assign(merge->left).append(merge->right);
      for (const std::string_view key : {merge->left, merge->right, std::string_view(joined[i])})
        index.Prefetch(key);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const BpeMerge found{index.Find(texts[i].left), index.Find(texts[i].right),
                           index.Find(joined[i]), static_cast<std::uint32_t>(first + i)};
      if (found.left == kNoToken || found.right == kNoToken || found.result == kNoToken)
        return Unusable(
            fmt::format("{}[{}]", where, first + i),
            fmt::format("a merge of {} and {}", Quoted(texts[i].left), Quoted(texts[i].right)),
            "both and what they make to be tokens of the vocabulary", kDamagedTokenizer);
      merges.push_back(found);
    }
  }
  return {};
}

Status TokenizerParts::SetMergesFromRanks(const std::string& where) {
  constexpr std::size_t kMostBytes = 1024;
  std::vector<std::string_view> ordinary = tokens;
  for (const AddedToken& token : added)
    if (static_cast<std::size_t>(token.id) < ordinary.size())
      ordinary[static_cast<std::size_t>(token.id)] = {};
  HADAL_ASSIGN_OR_RETURN(const TokenIndex index, IndexTokens(ordinary, where));
  for (std::size_t id = 0; id < ordinary.size(); ++id) {
    const std::string_view token = ordinary[id];
    if (token.size() > kMostBytes)
      return Unusable(where, fmt::format("a token of {} bytes at id {}", token.size(), id),
                      fmt::format("at most {}", kMostBytes), kDamagedTokenizer);
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      const TokenId left = index.Find(token.substr(0, cut));
      const TokenId right = left == kNoToken ? kNoToken : index.Find(token.substr(cut));
      if (right != kNoToken)
        merges.push_back({left, right, static_cast<TokenId>(id), static_cast<std::uint32_t>(id)});
    }
  }
  return {};
}

Status TokenizerParts::Apply(const Metadata* overlay, const std::string& where) {
  if (overlay == nullptr) return {};
  const Metadata* list = overlay->Find("added_tokens");
  if (list == nullptr || !list->is_array())
    return Unusable(where + " overlay", "no list added_tokens", "the tokens to rename",
                    "an overlay has the form of tokenizer.json's added_tokens");
  for (const Metadata& node : list->items()) {
    HADAL_ASSIGN_OR_RETURN(AddedToken token,
                           ReadAddedToken(node, std::nullopt, where + " overlay"));
    const auto same = std::find_if(added.begin(), added.end(),
                                   [&](const AddedToken& other) { return other.id == token.id; });
    if (same == added.end())
      added.push_back(std::move(token));
    else
      *same = std::move(token);
  }
  return {};
}

Result<AddedToken> ReadAddedToken(const Metadata& node, std::optional<std::int64_t> id,
                                  const std::string& where) {
  const Metadata* content = node.Find("content");
  const Metadata* number = node.Find("id");
  if (!id && number != nullptr) id = number->integer();
  if (!id || *id < 0 || static_cast<std::uint64_t>(*id) >= TokenizerParts::kMostTokens)
    return Unusable(where, number != nullptr ? "the id " + number->Describe() : "no id",
                    fmt::format("an id from 0 to {}", TokenizerParts::kMostTokens - 1),
                    kDamagedTokenizer);
  if (content == nullptr || !content->is_string() || content->string()->empty() ||
      content->string()->size() > TokenizerParts::kMostAddedBytes)
    return Unusable(fmt::format("{} id {}", where, *id),
                    content != nullptr ? "the content " + content->Describe() : "no content",
                    fmt::format("1 to {} bytes of text", TokenizerParts::kMostAddedBytes),
                    kDamagedTokenizer);
  const auto flag = [&](std::string_view key, bool otherwise) {
    const Metadata* member = node.Find(key);
    return member != nullptr ? member->boolean().value_or(otherwise) : otherwise;
  };
  AddedToken token{.id = static_cast<TokenId>(*id),
                   .content = ReplaceInvalidUtf8(*content->string()),
                   .special = flag("special", false)};
  token.normalized = flag("normalized", !token.special);
  token.strip_left = flag("lstrip", false);
  token.strip_right = flag("rstrip", false);
  token.single_word = flag("single_word", false);
  return token;
}

Status ReadTokenizerConfig(const Metadata* config, const std::string& where,
                           TokenizerParts* parts) {
  if (config == nullptr) return {};
  if (!config->is_object())
    return Unusable(where, config->Describe(), "an object", kDamagedTokenizer);
  if (const auto bos = NamedToken(*config, "bos_token", *parts)) parts->bos = bos;
  if (const auto eos = NamedToken(*config, "eos_token", *parts)) parts->eos = eos;
  if (const Metadata* add = config->FindNonNull("add_bos_token")) {
    if (!add->is_bool())
      return Unusable(where + ".add_bos_token", add->Describe(), "a boolean", kDamagedTokenizer);
    parts->add_bos = *add->boolean();
  }
  return {};
}

}  // namespace hadal
