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

 private:
  struct Slot {
    std::string_view key;
    TokenId id = kNoToken;
  };
  std::size_t SlotOf(std::string_view key) const;
  std::vector<Slot> slots_;
};

}  // namespace hadal
