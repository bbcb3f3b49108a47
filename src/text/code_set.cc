#include "text/code_set.h"

#include <algorithm>

#include "base/check.h"

namespace hadal {

CodeSet::CodeSet(std::vector<CodeRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const CodeRange& a, const CodeRange& b) { return a.first < b.first; });
  for (const CodeRange& range : ranges) {
    HADAL_CHECK(range.first <= range.last && range.last <= kLastCodePoint,
                "a range of code points");
    if (!ranges_.empty() && range.first <= ranges_.back().last + 1)
      ranges_.back().last = std::max(ranges_.back().last, range.last);
    else
      ranges_.push_back(range);
  }
}

bool CodeSet::Contains(char32_t point) const {
  const auto after = std::upper_bound(
      ranges_.begin(), ranges_.end(), point,
      [](char32_t wanted, const CodeRange& range) { return wanted < range.first; });
  return after != ranges_.begin() && point <= (after - 1)->last;
}

bool CodeSet::ContainsAll(const CodeSet& other) const { return Union(other) == *this; }

CodeSet CodeSet::Union(const CodeSet& other) const {
  std::vector<CodeRange> all(ranges_);
  all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
  return CodeSet(std::move(all));
}

CodeSet CodeSet::Intersection(const CodeSet& other) const {
  CodeSet both;
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    const char32_t first = std::max(a->first, b->first);
    const char32_t last = std::min(a->last, b->last);
    if (first <= last) both.ranges_.push_back({first, last});
    if (a->last < b->last)
      ++a;
    else
      ++b;
  }
  return both;
}

CodeSet CodeSet::Complement() const {
  CodeSet rest;
  char32_t next = 0;
  for (const CodeRange& range : ranges_) {
    if (range.first > next) rest.ranges_.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLastCodePoint) rest.ranges_.push_back({next, kLastCodePoint});
  return rest;
}

}  // namespace hadal
