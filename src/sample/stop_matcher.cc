#include "sample/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace hadal {

StopMatcher::StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& stop) { return stop.empty(); });
  std::sort(stops_.begin(), stops_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
}

std::string StopMatcher::Feed(std::string_view piece) {
  if (matched()) return "";
  if (stops_.empty()) return std::string(piece);
  std::string out;
  for (const char c : piece) {
    held_ += c;
    for (std::size_t i = 0; i < stops_.size(); ++i) {
      if (!held_.ends_with(stops_[i])) continue;
      matched_ = static_cast<int>(i);
      out.append(held_, 0, held_.size() - stops_[i].size());
      held_.clear();
      return out;
    }
    // Gives out bytes until what is left begins a stop string, so `held_` is never longer than one.
    std::size_t given = 0;
    const std::string_view held = held_;
    while (given < held.size() &&
           std::none_of(
               stops_.begin(), stops_.end(),
               [&](const std::string& stop) { return stop.starts_with(held.substr(given)); }))
      ++given;
    out.append(held_, 0, given);
    held_.erase(0, given);
  }
  return out;
}

std::string StopMatcher::Finish() { return std::exchange(held_, {}); }

}  // namespace hadal
