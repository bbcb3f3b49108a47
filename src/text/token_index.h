// TokenIndex: from strings to token ids. Open addressing; made once, then only read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hadal {

using TokenId = std::int32_t;
inline constexpr TokenId kNoToken = -1;

// Keys are views: their bytes live elsewhere and longer.
class TokenIndex {
 public:
  explicit TokenIndex(std::size_t most_keys);
  // False where the key is there already (nothing changes then). Not beyond most_keys.
  bool Insert(std::string_view key, TokenId id);
  TokenId Find(std::string_view key) const;  // kNoToken where absent
  // Asks memory for the place of a key that is looked up or inserted soon: with a vocabulary of
  // 128K tokens, waiting for it is most of the work.
  void Prefetch(std::string_view key) const;

 private:
  struct Slot {
    std::string_view key;
    TokenId id = kNoToken;
    std::uint32_t tag = 0;  // high half of the hash: most other keys are told apart by it
  };
  std::size_t SlotOf(std::string_view key, std::uint64_t hash) const;
  std::vector<Slot> slots_;
};

}  // namespace hadal
