#include "text/marker_scanner.h"

#include "base/check.h"

namespace hadal {

MarkerScanner::MarkerScanner(std::span<const std::string_view> markers) : markers_(markers) {
  for (const std::string_view& a : markers_)
    for (const std::string_view& b : markers_)
      HADAL_CHECK(!a.empty() && (&a == &b || !b.starts_with(a)), "markers must not overlap");
}

int MarkerScanner::Push(char c, std::string* text) {
  held_.push_back(c);
  while (!held_.empty()) {
    for (std::size_t i = 0; i < markers_.size(); ++i) {
      if (!markers_[i].starts_with(held_)) continue;
      if (markers_[i].size() != held_.size()) return kNone;
      held_.clear();
      return static_cast<int>(i);
    }
    text->push_back(held_.front());
    held_.erase(0, 1);
  }
  return kNone;
}

void MarkerScanner::Drain(std::string* text) {
  text->append(held_);
  held_.clear();
}

}  // namespace hadal
