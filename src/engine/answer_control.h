// AnswerControl: what those outside of the loop wish of an answer that is on its way. Any thread
// may set it; the loop looks before each token.
#pragma once

#include <atomic>

namespace hadal {

struct AnswerControl {
  std::atomic<bool> cancelled{false};
  std::atomic<bool> ends_reasoning{false};
};

}  // namespace hadal
