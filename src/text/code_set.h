// CodeSet: a set of Unicode code points as ranges; what a class of a tokenizer pattern means.
#pragma once

#include <span>
#include <vector>

namespace hadal {

inline constexpr char32_t kLastCodePoint = 0x10FFFF;

// Both ends belong to the range.
struct CodeRange {
  char32_t first = 0, last = 0;
  bool operator==(const CodeRange&) const = default;
};

// An immutable value; ranges are ascending, apart from one another, and within [0, 0x10FFFF].
class CodeSet {
 public:
  CodeSet() = default;
  // Any order, overlaps allowed; first <= last <= kLastCodePoint.
  explicit CodeSet(std::vector<CodeRange> ranges);
  static CodeSet Of(char32_t point) { return CodeSet({{point, point}}); }

  std::span<const CodeRange> ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  bool Contains(char32_t point) const;
  bool ContainsAll(const CodeSet& other) const;

  CodeSet Union(const CodeSet& other) const;
  CodeSet Intersection(const CodeSet& other) const;
  CodeSet Complement() const;

  bool operator==(const CodeSet&) const = default;

 private:
  std::vector<CodeRange> ranges_;
};

}  // namespace hadal
