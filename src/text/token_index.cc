#include "text/token_index.h"

#include <bit>

#include "base/bytes.h"
#include "base/check.h"

namespace hadal {
namespace {

// Eight bytes at a time, each step a multiplication and a fold of the high half onto the low one.
std::uint64_t Hash(std::string_view key) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15u;  // 2^64 divided by the golden ratio
  std::uint64_t hash = key.size();
  const auto add = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 32;
  };
  const char* at = key.data();
  std::size_t left = key.size();
  for (; left >= 8; at += 8, left -= 8) add(LoadUnaligned<std::uint64_t>(at));
  std::uint64_t tail = 0;
  for (std::size_t i = 0; i < left; ++i)
    tail |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  add(tail);
  return hash;
}

std::uint32_t Tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

TokenIndex::TokenIndex(std::size_t most_keys) : slots_(std::bit_ceil(most_keys * 2 + 2)) {}

void TokenIndex::Prefetch(std::string_view key) const {
  __builtin_prefetch(&slots_[Hash(key) & (slots_.size() - 1)]);
}

std::size_t TokenIndex::SlotOf(std::string_view key, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  const std::uint32_t tag = Tag(hash);
  std::size_t at = hash & mask;
  while (slots_[at].id != kNoToken && (slots_[at].tag != tag || slots_[at].key != key))
    at = (at + 1) & mask;
  return at;
}

bool TokenIndex::Insert(std::string_view key, TokenId id) {
  HADAL_DCHECK(id != kNoToken, "a token id");
  const std::uint64_t hash = Hash(key);
  Slot& slot = slots_[SlotOf(key, hash)];
  if (slot.id != kNoToken) return false;
  slot = {key, id, Tag(hash)};
  return true;
}

TokenId TokenIndex::Find(std::string_view key) const { return slots_[SlotOf(key, Hash(key))].id; }

}  // namespace hadal
