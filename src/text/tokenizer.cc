#include "text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/hints.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

namespace hadal {

struct Tokenizer::State {
  std::vector<std::string_view> bytes;    // by id; in the arena
  std::vector<bool> special;              // by id
  std::vector<bool> byte_level;           // by id: of the byte-level alphabet in the file
  AddedTokenFinder original, normalized;  // by the text in which they are looked for
  TokenIndex added_ids{0};                // by content
  Normalizer normalizer;
  std::optional<PreTokenizer> pre_tokenizer;
  std::unique_ptr<BytePairEncoder> encoder;
  std::optional<TokenId> bos, eos;
  bool add_bos = false;
  StringArena arena;
};

namespace {

constexpr std::size_t kMostTextBytes = 0x7FFFFFFF;
constexpr std::size_t kMostAddedBytesTogether = 16 << 20;

// Every added token has its own id and its own content, and together they are not absurdly long.
Status CheckAdded(const std::vector<AddedToken>& added, const std::string& where) {
  std::vector<bool> seen(TokenizerParts::kMostTokens);
  TokenIndex contents(added.size());
  std::size_t together = 0;
  for (const AddedToken& token : added) {
    if (seen[static_cast<std::size_t>(token.id)])
      return Unusable(where, fmt::format("two added tokens with the id {}", token.id), "one",
                      kDamagedTokenizer);
    seen[static_cast<std::size_t>(token.id)] = true;
    if (!contents.Insert(token.content, token.id))
      return Unusable(where,
                      fmt::format("the added token \"{}\" with the ids {} and {}", token.content,
                                  contents.Find(token.content), token.id),
                      "one id", kDamagedTokenizer);
    together += token.content.size();
  }
  if (together > kMostAddedBytesTogether)
    return Unusable(where, fmt::format("added tokens of {} bytes", together),
                    fmt::format("at most {}", kMostAddedBytesTogether), kDamagedTokenizer);
  return {};
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> TokenizerParts::Make(const std::string& where) && {
  HADAL_RETURN_IF_ERROR(CheckAdded(added, where));
  HADAL_CHECK(pre_tokenizer.has_value(), "a reader set the pre-tokenizer");
  std::size_t count = tokens.size();
  for (const AddedToken& token : added)
    count = std::max(count, static_cast<std::size_t>(token.id) + 1);
  if (count == 0) return Unusable(where, "an empty vocabulary", "some tokens", kDamagedTokenizer);
  for (const std::optional<TokenId>& id : {bos, eos})
    if (id && static_cast<std::size_t>(*id) >= count)
      return Unusable(where, fmt::format("the id {} for BOS or EOS", *id),
                      fmt::format("an id below {}", count), kDamagedTokenizer);

  auto state = std::make_unique<Tokenizer::State>();
  state->bytes.resize(count);
  state->special.resize(count);
  state->byte_level.resize(count);
  // A token that is not of the byte-level alphabet stands for its own text, and no text leads to
  // it.
  const auto bytes_of = [&](std::string_view text, bool* ordinary) {
    const std::optional<std::string> bytes = raw_bytes ? std::nullopt : FromByteLevel(text);
    *ordinary = raw_bytes || bytes.has_value();
    return state->arena.Add(bytes ? *bytes : text);
  };
  std::vector<std::string_view> ordinary_bytes(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    bool ordinary = false;
    state->bytes[id] = bytes_of(tokens[id], &ordinary);
    state->byte_level[id] = ordinary;
    if (ordinary) ordinary_bytes[id] = state->bytes[id];
  }
  state->encoder = std::make_unique<BytePairEncoder>(ordinary_bytes, merges, rules);
  state->added_ids = TokenIndex(added.size());
  std::vector<AddedToken> original, normalized;
  for (AddedToken& token : added) {
    const auto id = static_cast<std::size_t>(token.id);
    bool byte_level = false;
    state->bytes[id] = bytes_of(token.content, &byte_level);
    state->byte_level[id] = byte_level;
    state->special[id] = token.special;
    state->added_ids.Insert(state->arena.Add(token.content), token.id);
    if (token.normalized) token.content = normalizer.Apply(token.content);
    (token.normalized ? normalized : original).push_back(std::move(token));
  }
  state->original = AddedTokenFinder(std::move(original));
  state->normalized = AddedTokenFinder(std::move(normalized));
  state->normalizer = normalizer;
  state->pre_tokenizer = std::move(pre_tokenizer);
  state->bos = bos;
  state->eos = eos;
  state->add_bos = add_bos && bos.has_value();
  return std::shared_ptr<const Tokenizer>(new Tokenizer(std::move(state)));
}

Tokenizer::Tokenizer(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Tokenizer::~Tokenizer() = default;

Result<std::vector<TokenId>> Tokenizer::Encode(std::string_view text, AddedTokenUse use) const {
  if (text.size() > kMostTextBytes)
    return UsageError("text", fmt::format("{} bytes", text.size()),
                      fmt::format("at most {}", kMostTextBytes), "split it");
  std::string valid;
  if (!IsUtf8(text)) text = valid = ReplaceInvalidUtf8(text);
  MatchScratch scratch;
  std::vector<TokenId> ids;
  std::vector<TokenSegment> segments, inner;
  std::vector<std::string_view> pieces;
  std::string normal, changed;
  state_->original.Split(text, use, &segments);
  for (const TokenSegment& segment : segments) {
    if (segment.token != kNoToken) {
      ids.push_back(segment.token);
      continue;
    }
    std::string_view part = segment.text;
    if (!state_->normalizer.IsIdentity()) part = normal = state_->normalizer.Apply(part);
    inner.clear();
    state_->normalized.Split(part, use, &inner);
    for (const TokenSegment& one : inner) {
      if (one.token != kNoToken) {
        ids.push_back(one.token);
        continue;
      }
      pieces.clear();
      HADAL_RETURN_IF_ERROR(state_->pre_tokenizer->Split(one.text, &scratch, &changed, &pieces));
      for (const std::string_view piece : pieces) state_->encoder->Encode(piece, &ids);
    }
  }
  return ids;
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string bytes;
  for (const TokenId id : ids)
    if (!skip_special || !IsSpecial(id)) bytes += TokenBytes(id);
  return IsUtf8(bytes) ? bytes : ReplaceInvalidUtf8(bytes);
}

std::string_view Tokenizer::TokenBytes(TokenId id) const {
  return id >= 0 && id < vocabulary() ? state_->bytes[static_cast<std::size_t>(id)]
                                      : std::string_view();
}

std::string Tokenizer::WrittenToken(TokenId id) const {
  const std::string_view bytes = TokenBytes(id);
  if (bytes.empty() || !state_->byte_level[static_cast<std::size_t>(id)]) return std::string(bytes);
  std::string written;
  for (const char byte : bytes)
    AppendUtf8(&written, ByteLevelCharacter(static_cast<std::uint8_t>(byte)));
  return written;
}

std::optional<TokenId> Tokenizer::TokenToId(std::string_view text) const {
  TokenId id = state_->added_ids.Find(text);
  if (id == kNoToken) id = state_->encoder->Find(text);
  if (id == kNoToken) return std::nullopt;
  return id;
}

bool Tokenizer::IsSpecial(TokenId id) const {
  return id >= 0 && id < vocabulary() && state_->special[static_cast<std::size_t>(id)];
}

std::int32_t Tokenizer::vocabulary() const {
  return static_cast<std::int32_t>(state_->bytes.size());
}
std::optional<TokenId> Tokenizer::bos() const { return state_->bos; }
std::optional<TokenId> Tokenizer::eos() const { return state_->eos; }
bool Tokenizer::add_bos() const { return state_->add_bos; }

}  // namespace hadal
