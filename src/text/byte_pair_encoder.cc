#include "text/byte_pair_encoder.h"

#include <algorithm>
#include <bit>

#include "text/merge_queue.h"

namespace hadal {
namespace {

constexpr std::size_t kLookAhead = 16;     // entries; memory answers before their turn comes
constexpr std::size_t kShortSymbols = 64;  // above it the queue is faster than the scan

std::uint64_t PairKey(TokenId left, TokenId right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

std::size_t PairHash(std::uint64_t pair) {
  pair *= 0x9E3779B97F4A7C15u;  // 2^64 divided by the golden ratio
  return pair ^ (pair >> 29);
}

}  // namespace

BytePairEncoder::BytePairEncoder(std::span<const std::string_view> token_bytes,
                                 std::span<const BpeMerge> merges, const BpeRules& rules)
    : rules_(rules),
      index_(token_bytes.size()),
      pairs_(std::bit_ceil(merges.size() * 2 + 2)),
      whole_(std::make_unique<std::atomic<Whole>[]>(token_bytes.size())) {
  for (std::size_t id = 0; id < token_bytes.size(); ++id) {
    if (id + kLookAhead < token_bytes.size()) index_.Prefetch(token_bytes[id + kLookAhead]);
    if (token_bytes[id].empty()) continue;
    index_.Insert(token_bytes[id], static_cast<TokenId>(id));
    longest_token_ = std::max(longest_token_, token_bytes[id].size());
  }
  for (std::size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
    const char c = static_cast<char>(byte);
    byte_tokens_[byte] = index_.Find({&c, 1});
  }
  for (std::size_t i = 0; i < merges.size(); ++i) {
    if (i + kLookAhead < merges.size()) {
      const BpeMerge& later = merges[i + kLookAhead];
      __builtin_prefetch(&pairs_[PairHash(PairKey(later.left, later.right)) & (pairs_.size() - 1)]);
    }
    const BpeMerge& merge = merges[i];
    const std::uint64_t pair = PairKey(merge.left, merge.right);
    std::size_t at = PairHash(pair) & (pairs_.size() - 1);
    while (pairs_[at].pair != kNoPair && pairs_[at].pair != pair)
      at = (at + 1) & (pairs_.size() - 1);
    pairs_[at] = {pair, {merge.rank, merge.result}};
  }
}

BytePairEncoder::Merged BytePairEncoder::FindPair(TokenId left, TokenId right) const {
  const std::uint64_t pair = PairKey(left, right);
  std::size_t at = PairHash(pair) & (pairs_.size() - 1);
  while (pairs_[at].pair != pair) {
    if (pairs_[at].pair == kNoPair) return {};
    at = (at + 1) & (pairs_.size() - 1);
  }
  return pairs_[at].merged;
}

void BytePairEncoder::Encode(std::string_view piece, std::vector<TokenId>* ids) const {
  if (piece.size() > longest_token_) return MergeAll(piece, ids);
  const TokenId token = index_.Find(piece);
  if (token == kNoToken) return MergeAll(piece, ids);
  if (rules_.ignore_merges) return ids->push_back(token);
  std::atomic<Whole>& whole = whole_[static_cast<std::size_t>(token)];
  const Whole known = whole.load(std::memory_order_relaxed);
  if (known == Whole::kYes) return ids->push_back(token);
  const std::size_t begin = ids->size();
  MergeAll(piece, ids);
  if (known == Whole::kUnknown) {
    const bool same = ids->size() == begin + 1 && ids->back() == token;
    whole.store(same ? Whole::kYes : Whole::kNo, std::memory_order_relaxed);
  }
}

void BytePairEncoder::Symbols(std::string_view piece, std::vector<TokenId>* symbols) const {
  bool after_unknown = false;
  for (const char c : piece) {
    const TokenId token = byte_tokens_[static_cast<unsigned char>(c)];
    if (token != kNoToken)
      symbols->push_back(token);
    else if (rules_.unknown != kNoToken && !(after_unknown && rules_.fuse_unknown))
      symbols->push_back(rules_.unknown);
    after_unknown = token == kNoToken;
  }
}

void BytePairEncoder::MergeAll(std::string_view piece, std::vector<TokenId>* ids) const {
  const std::size_t begin = ids->size();
  Symbols(piece, ids);
  if (ids->size() - begin <= kShortSymbols)
    MergeShort(ids, begin);
  else
    MergeLong(ids, begin);
}

void BytePairEncoder::MergeShort(std::vector<TokenId>* symbols, std::size_t begin) const {
  TokenId* ids = symbols->data() + begin;
  std::size_t count = symbols->size() - begin;
  std::array<Merged, kShortSymbols> merged;  // of ids[i] with ids[i + 1]
  for (std::size_t i = 0; i + 1 < count; ++i) merged[i] = FindPair(ids[i], ids[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i)
      if (merged[i].rank < merged[best].rank) best = i;
    if (merged[best].rank == kNoRank) break;
    ids[best] = merged[best].result;
    for (std::size_t i = best + 1; i + 1 < count; ++i) {
      ids[i] = ids[i + 1];
      merged[i - 1] = merged[i];
    }
    --count;
    if (best > 0) merged[best - 1] = FindPair(ids[best - 1], ids[best]);
    if (best + 1 < count) merged[best] = FindPair(ids[best], ids[best + 1]);
  }
  symbols->resize(begin + count);
}

void BytePairEncoder::MergeLong(std::vector<TokenId>* symbols, std::size_t begin) const {
  const auto count = static_cast<std::uint32_t>(symbols->size() - begin);
  TokenId* ids = symbols->data() + begin;
  struct Link {
    std::uint32_t previous, next;
    Merged merged;  // with the next; kNoRank behind the last and where nothing is left
  };
  std::vector<Link> links(count);
  MergeQueue queue;
  const auto renew = [&](std::uint32_t at) {
    const std::uint32_t next = links[at].next;
    links[at].merged = next < count ? FindPair(ids[at], ids[next]) : Merged{};
    if (links[at].merged.rank != kNoRank) queue.Push(links[at].merged.rank, at);
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    links[i] = {i - 1, i + 1, {}};
    renew(i);
  }
  std::uint32_t rank = 0, at = 0;
  while (queue.Pop(&rank, &at)) {
    if (links[at].merged.rank != rank) continue;  // the pair at this place has changed since
    const std::uint32_t gone = links[at].next;
    ids[at] = links[at].merged.result;
    ids[gone] = kNoToken;
    links[gone].merged = {};
    links[at].next = links[gone].next;
    if (links[at].next < count) links[links[at].next].previous = at;
    renew(at);
    if (at > 0) renew(links[at].previous);
  }
  const auto end =
      std::remove(symbols->begin() + static_cast<std::ptrdiff_t>(begin), symbols->end(), kNoToken);
  symbols->erase(end, symbols->end());
}

}  // namespace hadal
