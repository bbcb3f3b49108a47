// CodeAlphabet: code points told apart only as far as some sets tell them apart.
//
// A tokenizer's patterns name a few sets (letters, digits, white space, an apostrophe ...). Code
// points that are in exactly the same of these sets are one symbol; there are a few dozen at most,
// so a text becomes one byte a character, and a set of code points a set of bytes. A matching
// engine then works on short byte classes, and no Unicode table but ours takes part.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/code_set.h"

namespace hadal {

using SymbolSet = std::bitset<256>;

// Immutable; any thread may read.
class CodeAlphabet {
 public:
  // Refuses sets that tell more than 256 kinds of code points apart.
  static Result<CodeAlphabet> Make(std::span<const CodeSet> sets, const std::string& where);

  std::uint8_t SymbolOf(char32_t point) const {
    return blocks_[block_of_[point >> 8] * 256u + (point & 255)];
  }
  // The symbols of sets[index] as given to Make.
  const SymbolSet& Symbols(std::size_t index) const { return symbols_[index]; }

  // One byte for each character of `text`, which is valid UTF-8.
  void Translate(std::string_view text, std::string* symbols) const;

 private:
  std::vector<SymbolSet> symbols_;
  std::vector<std::uint8_t> blocks_;  // 256 code points each, shared
  std::array<std::uint16_t, (kLastCodePoint >> 8) + 1> block_of_{};
};

}  // namespace hadal
