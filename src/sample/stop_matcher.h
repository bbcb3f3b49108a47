// StopMatcher: lets text through until one of the stop strings is complete. What might still become
// a stop string is held back, so nothing that was given out has to be taken back.
//
// Works on bytes, and the result does not depend on how the text is cut: the match that is complete
// first counts; of several that are complete at the same byte, the longest. An object belongs to
// one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hadal {

class StopMatcher {
 public:
  // Empty strings are left out.
  explicit StopMatcher(std::vector<std::string> stops);

  // Takes the next piece and returns what can be given out now. After a match: nothing more.
  std::string Feed(std::string_view piece);
  // The text is over: what was held back.
  std::string Finish();

  bool matched() const { return matched_ >= 0; }
  const std::string& match() const { return stops_[static_cast<std::size_t>(matched_)]; }

 private:
  std::vector<std::string> stops_;  // longest first
  std::string held_;                // the longest end of the text that begins a stop string
  int matched_ = -1;
};

}  // namespace hadal
